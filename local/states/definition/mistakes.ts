import type { Integrations } from '../integrations/integration';
import type { Json, JsonObject } from '../json';

/** Collects mistakes, each with the place it was found in. */
export class Mistakes {
  readonly list: string[] = [];

  constructor(readonly integrations: Pick<Integrations, 'find'>) {}

  add(what: string, place: string): void {
    this.list.push(`${what} at ${place || '/'}`);
  }

  onlyFields(value: JsonObject, fields: readonly string[], place: string): void {
    for (const field of Object.keys(value))
      if (!fields.includes(field)) this.add(`Field '${field}' is not supported`, `${place}/${field}`);
  }

  oneOf(value: Json | undefined, choices: readonly string[], place: string): void {
    if (value !== undefined && !choices.includes(value as string))
      this.add(`Value '${String(value)}' is not supported: ${choices.join(' or ')}`, place);
  }
}
