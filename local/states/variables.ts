import type { JsonObject } from './json';

/**
 * The variables of one workflow scope. A branch or an inline iteration reads those around it and assigns its own; what it
 * assigns ends with it (developer guide, "Passing data between states with variables").
 */
export class Variables {
  private own: JsonObject = {};

  constructor(private readonly outer?: Variables) {}

  visible(): JsonObject {
    return { ...this.outer?.visible(), ...this.own };
  }

  assign(values: JsonObject): void {
    this.own = { ...this.own, ...values };
  }
}
