import { isJsonObject, type Json, type JsonObject } from '../json';
import { DISTRIBUTED_ONLY, NESTED_FIELDS, REQUIRED_FIELDS, STATE_FIELDS, TERMINAL_TYPES } from './fields';
import type { Mistakes } from './mistakes';

/** What a state may name: the states beside it, and the variables that inner scopes may not assign. */
interface Around {
  readonly names: readonly string[];
  readonly variables: ReadonlySet<string>;
  /** For the graphs inside of a state. */
  readonly checkGraph: (
    graph: JsonObject,
    place: string,
    outerVariables: ReadonlySet<string>,
    mistakes: Mistakes,
  ) => void;
}

export function checkState(state: Json, place: string, around: Around, mistakes: Mistakes): void {
  const type = isJsonObject(state) ? state['Type'] : undefined;
  const fields = STATE_FIELDS[String(type)];
  if (!isJsonObject(state) || !fields)
    return mistakes.add(`State type '${String(type)}' is not supported`, `${place}/Type`);
  mistakes.onlyFields(state, fields, place);
  mistakes.oneOf(state['QueryLanguage'], ['JSONata'], `${place}/QueryLanguage`);
  for (const field of REQUIRED_FIELDS[String(type)] ?? [])
    if (state[field] === undefined) mistakes.add(`Field '${field}' is missing`, place);
  checkFlow(state, place, around, mistakes);
  checkRetry(state['Retry'], `${place}/Retry`, mistakes);
  checkRules(state['Catch'], NESTED_FIELDS.catcher, `${place}/Catch`, around, mistakes);
  if (type === 'Choice') checkChoices(state, place, around, mistakes);
  if (type === 'Wait' && 'Seconds' in state === 'Timestamp' in state)
    mistakes.add('A Wait has one of Seconds and Timestamp', place);
  if (type === 'Task') checkResource(state['Resource'], place, mistakes);
  if (type === 'Parallel') checkBranches(state['Branches'], place, around, mistakes);
  if (type === 'Map') checkMap(state, place, around, mistakes);
}

function checkFlow(state: JsonObject, place: string, { names }: Around, mistakes: Mistakes): void {
  const next = state['Next'];
  if (next !== undefined && !names.includes(String(next)))
    mistakes.add(`Next names no state: '${String(next)}'`, `${place}/Next`);
  if (TERMINAL_TYPES.has(String(state['Type']))) return;
  if ((next !== undefined) === (state['End'] === true))
    mistakes.add('A state has one of Next and End', place);
}

function checkChoices(state: JsonObject, place: string, around: Around, mistakes: Mistakes): void {
  const rules = state['Choices'];
  checkRules(rules, NESTED_FIELDS.rule, `${place}/Choices`, around, mistakes);
  for (const [index, rule] of (Array.isArray(rules) ? rules : []).entries())
    if (isJsonObject(rule) && rule['Condition'] === undefined)
      mistakes.add("Field 'Condition' is missing", `${place}/Choices[${index}]`);
  const fallback = state['Default'];
  if (fallback !== undefined && !around.names.includes(String(fallback)))
    mistakes.add(`Default names no state: '${String(fallback)}'`, `${place}/Default`);
}

function checkRules(
  rules: Json | undefined,
  fields: readonly string[],
  place: string,
  { names }: Around,
  mistakes: Mistakes,
): void {
  for (const [index, rule] of (Array.isArray(rules) ? rules : []).entries()) {
    if (!isJsonObject(rule)) continue;
    mistakes.onlyFields(rule, fields, `${place}[${index}]`);
    if (!names.includes(String(rule['Next'])))
      mistakes.add(`Next names no state: '${String(rule['Next'])}'`, `${place}[${index}]/Next`);
  }
}

function checkRetry(retriers: Json | undefined, place: string, mistakes: Mistakes): void {
  for (const [index, retrier] of (Array.isArray(retriers) ? retriers : []).entries()) {
    if (!isJsonObject(retrier)) continue;
    mistakes.onlyFields(retrier, NESTED_FIELDS.retrier, `${place}[${index}]`);
    mistakes.oneOf(retrier['JitterStrategy'], ['NONE', 'FULL'], `${place}[${index}]/JitterStrategy`);
    const numbers = { IntervalSeconds: 1, BackoffRate: 1, MaxAttempts: 0, MaxDelaySeconds: 1 };
    for (const [field, minimum] of Object.entries(numbers)) {
      const value = retrier[field];
      if (value !== undefined && !(typeof value === 'number' && value >= minimum))
        mistakes.add(`${field} must be a number of ${minimum} or more`, `${place}[${index}]/${field}`);
    }
  }
}

function checkResource(resource: Json | undefined, place: string, mistakes: Mistakes): void {
  if (typeof resource === 'string' && !mistakes.integrations.find(resource))
    mistakes.add(`Resource '${resource}' is not supported`, `${place}/Resource`);
}

function checkBranches(branches: Json | undefined, place: string, around: Around, mistakes: Mistakes): void {
  for (const [index, branch] of (Array.isArray(branches) ? branches : []).entries()) {
    const inner = `${place}/Branches[${index}]`;
    if (!isJsonObject(branch)) mistakes.add('A branch is an object', inner);
    else {
      mistakes.onlyFields(branch, NESTED_FIELDS.graph, inner);
      around.checkGraph(branch, inner, around.variables, mistakes);
    }
  }
}

function checkMap(state: JsonObject, place: string, around: Around, mistakes: Mistakes): void {
  const processor = state['ItemProcessor'];
  if (!isJsonObject(processor)) return;
  const inner = `${place}/ItemProcessor`;
  mistakes.onlyFields(processor, NESTED_FIELDS.processor, inner);
  const config = isJsonObject(processor['ProcessorConfig']) ? processor['ProcessorConfig'] : {};
  mistakes.onlyFields(config, NESTED_FIELDS.processorConfig, `${inner}/ProcessorConfig`);
  mistakes.oneOf(config['Mode'], ['INLINE', 'DISTRIBUTED'], `${inner}/ProcessorConfig/Mode`);
  const distributed = config['Mode'] === 'DISTRIBUTED';
  if (distributed)
    mistakes.oneOf(
      config['ExecutionType'] ?? '(none)',
      ['STANDARD'],
      `${inner}/ProcessorConfig/ExecutionType`,
    );
  else
    for (const field of DISTRIBUTED_ONLY)
      if (field in state) mistakes.add(`'${field}' needs Mode DISTRIBUTED`, `${place}/${field}`);
  // Children of a Distributed Map see no variable from outside.
  around.checkGraph(processor, inner, distributed ? new Set() : around.variables, mistakes);
  checkSource(state, place, mistakes);
  checkDestination(state['ResultWriter'], `${place}/ResultWriter`, mistakes);
}

function checkSource(state: JsonObject, place: string, mistakes: Mistakes): void {
  const { ItemReader: reader, ItemBatcher: batcher } = state;
  if (isJsonObject(batcher)) mistakes.onlyFields(batcher, NESTED_FIELDS.itemBatcher, `${place}/ItemBatcher`);
  if (!isJsonObject(reader)) return;
  if ('Items' in state) mistakes.add('A Map has one of Items and ItemReader', place);
  const inner = `${place}/ItemReader`;
  mistakes.onlyFields(reader, NESTED_FIELDS.itemReader, inner);
  mistakes.oneOf(reader['Resource'] ?? '(none)', ['arn:aws:states:::s3:getObject'], `${inner}/Resource`);
  const config = isJsonObject(reader['ReaderConfig']) ? reader['ReaderConfig'] : {};
  mistakes.onlyFields(config, NESTED_FIELDS.readerConfig, `${inner}/ReaderConfig`);
  mistakes.oneOf(config['InputType'] ?? '(none)', ['JSON', 'JSONL'], `${inner}/ReaderConfig/InputType`);
}

function checkDestination(writer: Json | undefined, place: string, mistakes: Mistakes): void {
  if (!isJsonObject(writer)) return;
  mistakes.onlyFields(writer, NESTED_FIELDS.resultWriter, place);
  mistakes.oneOf(writer['Resource'], ['arn:aws:states:::s3:putObject'], `${place}/Resource`);
  const config = isJsonObject(writer['WriterConfig']) ? writer['WriterConfig'] : {};
  mistakes.onlyFields(config, NESTED_FIELDS.writerConfig, `${place}/WriterConfig`);
  mistakes.oneOf(
    config['Transformation'],
    ['NONE', 'COMPACT', 'FLATTEN'],
    `${place}/WriterConfig/Transformation`,
  );
  mistakes.oneOf(config['OutputType'], ['JSON', 'JSONL'], `${place}/WriterConfig/OutputType`);
}
