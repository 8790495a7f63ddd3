import type { Clock } from '../../clock';
import type { Json, JsonObject } from '../json';
import { isJsonObject } from '../json';
import { StatesError } from '../states-error';
import { compileExpression, expressionSource, messageOf } from './expression';

/** What an expression sees: `$states` and the variables in reach. */
export interface EvaluationScope {
  readonly states: JsonObject;
  readonly variables: JsonObject;
  readonly clock: Clock;
}

/**
 * Replaces every `{% ... %}` in a JSON value by what it evaluates to; everything else stays as written.
 * @param field where the value is written, for the error's cause: `Arguments`, `Choices[0]/Output`.
 * @throws StatesError States.QueryEvaluationError when an expression throws or gives nothing.
 */
export async function evaluateTemplate(template: Json, scope: EvaluationScope, field: string): Promise<Json> {
  if (typeof template === 'string') {
    const source = expressionSource(template);
    return source === undefined ? template : evaluateExpression(source, scope, field);
  }
  if (Array.isArray(template)) {
    return Promise.all(template.map((item, index) => evaluateTemplate(item, scope, `${field}[${index}]`)));
  }
  if (isJsonObject(template)) {
    const entries = Object.entries(template).map(
      async ([key, value]) => [key, await evaluateTemplate(value, scope, `${field}/${key}`)] as const,
    );
    return Object.fromEntries(await Promise.all(entries));
  }
  return template;
}

async function evaluateExpression(source: string, scope: EvaluationScope, field: string): Promise<Json> {
  const specified = `The JSONata expression '${source}' specified for the field '${field}'`;
  let value: unknown;
  try {
    value = await compileExpression(source).evaluate(undefined, {
      ...scope.variables,
      ...clockFunctions(scope.clock),
      states: scope.states,
    });
  } catch (error) {
    throw queryError(`${specified} threw an error during evaluation. ${messageOf(error)}`, field);
  }
  if (value === undefined) throw queryError(`${specified} returned nothing (undefined).`, field);
  let functions = 0;
  // Through JSON text: sequences lose their hidden marks, and nothing is shared with the scope.
  const text = JSON.stringify(value, (_key, inner: unknown) => {
    if (isFunction(inner)) functions++;
    return isFunction(inner) ? undefined : inner;
  });
  if (functions > 0 || text === undefined)
    throw queryError(`${specified} returned an unsupported result type.`, field);
  return JSON.parse(text) as Json;
}

/** JSONata's own functions are objects with a mark. */
const isFunction = (value: unknown): boolean =>
  typeof value === 'function' ||
  (typeof value === 'object' &&
    value !== null &&
    ('_jsonata_lambda' in value || '_jsonata_function' in value));

export const queryError = (cause: string, location: string): StatesError =>
  new StatesError('States.QueryEvaluationError', cause, { location });

/** `$now` and `$millis` tell the time of the embedded cloud, not of the machine. */
function clockFunctions(clock: Clock): Record<string, unknown> {
  const millis = clock.now().getTime();
  return {
    millis: () => millis,
    now: (picture?: string, timezone?: string) =>
      compileExpression('$fromMillis($at, $picture, $timezone)').evaluate(undefined, {
        at: millis,
        picture,
        timezone,
      }),
  };
}
