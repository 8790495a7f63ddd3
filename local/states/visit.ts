import type { Branch, MapItem } from './branch';
import { mapItemContext } from './branch';
import { evaluateTemplate, queryError } from './jsonata/evaluate';
import type { Json, JsonObject } from './json';
import type { Services } from './services';

/** One stay of a branch in one state: what its expressions see. */
export class Visit {
  retryCount = 0;
  private readonly enteredTime: string;

  constructor(
    readonly stateName: string,
    readonly input: Json,
    readonly branch: Branch,
    readonly services: Services,
  ) {
    this.enteredTime = services.clock.now().toISOString();
  }

  /** @param extra members of `$states` beside input and context: `result`, `errorOutput`. */
  evaluate(template: Json, field: string, extra: JsonObject = {}, mapItem?: MapItem): Promise<Json> {
    const states = { input: this.input, context: this.context(mapItem), ...extra };
    return evaluateTemplate(
      template,
      { states, variables: this.branch.variables.visible(), clock: this.services.clock },
      field,
    );
  }

  /** @throws StatesError States.QueryEvaluationError when the value is no number within the bounds. */
  async number(
    template: Json | undefined,
    field: string,
    { minimum = 0, maximum = Number.MAX_SAFE_INTEGER, whole = true } = {},
  ): Promise<number | undefined> {
    if (template === undefined) return undefined;
    const value = await this.evaluate(template, field);
    if (typeof value !== 'number' || (whole && !Number.isInteger(value)))
      throw queryError(`The field '${field}' must be ${whole ? 'an integer' : 'a number'}.`, field);
    if (value < minimum || value > maximum)
      throw queryError(
        `The field '${field}' must be between ${minimum} and ${maximum}, not ${value}.`,
        field,
      );
    return value;
  }

  async text(template: Json | undefined, field: string): Promise<string | undefined> {
    if (template === undefined) return undefined;
    const value = await this.evaluate(template, field);
    if (typeof value !== 'string') throw queryError(`The field '${field}' must be a string.`, field);
    return value;
  }

  private context(mapItem = this.branch.mapItem): JsonObject {
    const { run } = this.branch;
    return {
      Execution: {
        Id: run.executionArn,
        Input: run.input,
        Name: run.name,
        RoleArn: run.roleArn,
        StartTime: run.startDate.toISOString(),
        RedriveCount: run.redriveCount,
      },
      State: { Name: this.stateName, EnteredTime: this.enteredTime, RetryCount: this.retryCount },
      StateMachine: { Id: run.stateMachineArn, Name: run.stateMachineName },
      ...(mapItem && { Map: mapItemContext(mapItem) }),
    };
  }
}
