import type { Integrations } from '../integrations/integration';
import { isJsonObject, type Json, type JsonObject } from '../json';
import { expressionMistake, expressionSource } from '../jsonata/expression';
import type { StateMachineDefinition } from './definition';
import { DefinitionError } from './definition-error';
import { NESTED_FIELDS } from './fields';
import { Mistakes } from './mistakes';
import { checkState } from './validate-state';

/**
 * Reads a definition.
 * @throws DefinitionError with every mistake, and every feature that this interpreter does not run.
 */
export function parseDefinition(
  text: string,
  integrations: Pick<Integrations, 'find'>,
): StateMachineDefinition {
  let definition: Json;
  try {
    definition = JSON.parse(text) as Json;
  } catch (error) {
    throw new DefinitionError([`Not JSON: ${error instanceof Error ? error.message : String(error)}`]);
  }
  if (!isJsonObject(definition)) throw new DefinitionError(['A definition is a JSON object at /']);
  const mistakes = new Mistakes(integrations);
  if (definition['QueryLanguage'] !== 'JSONata')
    mistakes.add(
      "QueryLanguage JSONPath (the default) is not supported: set 'QueryLanguage': 'JSONata'",
      '/QueryLanguage',
    );
  mistakes.onlyFields(definition, NESTED_FIELDS.machine, '');
  checkTimeout(definition['TimeoutSeconds'], mistakes);
  checkGraph(definition, '', new Set(), mistakes);
  checkStateNames(definition, mistakes);
  checkExpressions(definition, '', mistakes);
  if (mistakes.list.length > 0) throw new DefinitionError(mistakes.list);
  return definition as unknown as StateMachineDefinition;
}

function checkTimeout(seconds: Json | undefined, mistakes: Mistakes): void {
  if (seconds !== undefined && !(typeof seconds === 'number' && Number.isInteger(seconds) && seconds > 0))
    mistakes.add('TimeoutSeconds must be a positive integer', '/TimeoutSeconds');
}

/** @param outerVariables names that the scopes around assign: an inner scope may read but not assign them. */
function checkGraph(
  graph: JsonObject,
  place: string,
  outerVariables: ReadonlySet<string>,
  mistakes: Mistakes,
): void {
  const states = graph['States'];
  if (!isJsonObject(states) || Object.keys(states).length === 0)
    return mistakes.add('States must be an object with at least one state', `${place}/States`);
  const start = graph['StartAt'];
  if (typeof start !== 'string' || !(start in states))
    mistakes.add(`StartAt names no state: '${String(start)}'`, `${place}/StartAt`);
  const own = new Set(outerVariables);
  for (const state of Object.values(states))
    for (const name of assignedNames(state)) {
      if (outerVariables.has(name))
        mistakes.add(`Variable '${name}' is assigned by an outer scope already`, `${place}/States`);
      own.add(name);
    }
  const names = Object.keys(states);
  for (const [name, state] of Object.entries(states))
    checkState(state, `${place}/States/${name}`, { names, variables: own, checkGraph }, mistakes);
  checkReachable(states, String(start), place, mistakes);
}

const assignedNames = (state: Json): string[] =>
  (isJsonObject(state) ? places(state) : []).flatMap(({ Assign }) =>
    isJsonObject(Assign) ? Object.keys(Assign) : [],
  );

const places = (state: JsonObject): JsonObject[] => [
  state,
  ...[state['Choices'], state['Catch']].flatMap((list) =>
    Array.isArray(list) ? list.filter(isJsonObject) : [],
  ),
];

function checkReachable(states: JsonObject, start: string, place: string, mistakes: Mistakes): void {
  const reached = new Set<string>();
  const visit = (name: string): void => {
    const state = states[name];
    if (reached.has(name) || !isJsonObject(state)) return;
    reached.add(name);
    const targets = [...places(state).map(({ Next }) => Next), state['Default']];
    for (const target of targets) if (typeof target === 'string') visit(target);
  };
  visit(start);
  for (const name of Object.keys(states))
    if (!reached.has(name)) mistakes.add(`State '${name}' is not reachable`, `${place}/States/${name}`);
}

const MAX_NAME_LENGTH = 80;

/** Names are unique in the whole machine, nested graphs included. */
function checkStateNames(definition: JsonObject, mistakes: Mistakes): void {
  const seen = new Set<string>();
  const walk = (value: Json, place: string): void => {
    if (Array.isArray(value)) return value.forEach((item, index) => walk(item, `${place}[${index}]`));
    if (!isJsonObject(value)) return;
    const states = 'StartAt' in value && isJsonObject(value['States']) ? Object.keys(value['States']) : [];
    for (const name of states) {
      if (seen.has(name)) mistakes.add(`State name '${name}' is used twice`, `${place}/States/${name}`);
      if (name.length > MAX_NAME_LENGTH)
        mistakes.add(`State name '${name}' is longer than ${MAX_NAME_LENGTH}`, place);
      seen.add(name);
    }
    for (const [key, inner] of Object.entries(value)) walk(inner, `${place}/${key}`);
  };
  walk(definition, '');
}

function checkExpressions(value: Json, place: string, mistakes: Mistakes): void {
  if (typeof value === 'string') {
    const source = expressionSource(value);
    const mistake = source === undefined ? undefined : expressionMistake(source);
    if (mistake !== undefined) mistakes.add(`Invalid JSONata expression: ${mistake}`, place);
  } else if (Array.isArray(value)) {
    value.forEach((item, index) => checkExpressions(item, `${place}[${index}]`, mistakes));
  } else if (isJsonObject(value)) {
    for (const [key, item] of Object.entries(value)) checkExpressions(item, `${place}/${key}`, mistakes);
  }
}
