import type { DocumentContent, DocumentParameter, DocumentStep } from './document-content';
import { invalidParameters } from './ssm-errors';

/** One script of a command, as the agent runs it. */
export interface CommandStep {
  readonly name: string;
  readonly script: string;
  readonly timeoutSeconds: number;
  readonly exitsOnFailure: boolean;
  /** Of its output in the bucket. */
  readonly outputFolder: string;
}

/** The only step of AWS-RunShellScript. */
export function shellScriptStep(
  parameters: Readonly<Record<string, readonly string[]>>,
  timeoutSeconds: number,
): CommandStep {
  return {
    name: 'aws:runShellScript',
    script: scriptOf(parameters['commands'] ?? [], parameters['workingDirectory']?.[0] ?? ''),
    timeoutSeconds,
    exitsOnFailure: false,
    outputFolder: 'awsrunShellScript/0.awsrunShellScript',
  };
}

/**
 * The steps of a document with these parameters.
 *
 * @throws AwsError InvalidParameters
 */
export function documentSteps(
  { parameters, steps }: DocumentContent,
  given: Readonly<Record<string, readonly string[]>>,
): CommandStep[] {
  if (Object.keys(given).some((name) => !Object.hasOwn(parameters, name))) throw invalidParameters();
  const values = new Map(
    Object.entries(parameters).map(([name, parameter]) => [name, valueOf(parameter, given[name])]),
  );
  return steps.map((step) => ({
    name: step.name,
    script: scriptOf(linesOf(step, values), textOf(step.workingDirectory, values)),
    timeoutSeconds: Number(textOf(step.timeoutSeconds, values)),
    exitsOnFailure: step.exitsOnFailure,
    outputFolder: `awsrunShellScript/${step.name}`,
  }));
}

type Value = string | readonly string[];
const REFERENCE = /\{\{\s*([A-Za-z0-9]+)\s*\}\}/g;

function valueOf(parameter: DocumentParameter, given: readonly string[] | undefined): Value {
  const { type, default: fallback, allowedValues, allowedPattern } = parameter;
  if (given === undefined && fallback === undefined) throw invalidParameters();
  const values =
    given ?? (Array.isArray(fallback) ? (fallback as readonly string[]) : [String(fallback as string)]);
  if (type !== 'StringList' && values.length !== 1) throw invalidParameters();
  for (const value of values) {
    const isWrong =
      (type === 'Boolean' && !/^(true|false)$/i.test(value)) ||
      (type === 'Integer' && !/^-?\d+$/.test(value)) ||
      (allowedValues !== undefined && !allowedValues.map(String).includes(value)) ||
      (allowedPattern !== undefined && !new RegExp(allowedPattern).test(value));
    if (isWrong) throw invalidParameters();
  }
  return type === 'StringList' ? values : values[0]!;
}

/** A list stands for lines of its own; within a line only a single value can stand. */
function linesOf({ runCommand }: DocumentStep, values: ReadonlyMap<string, Value>): string[] {
  const lines = typeof runCommand === 'string' ? [runCommand] : runCommand;
  return lines.flatMap((line) => {
    const name = /^\{\{\s*([A-Za-z0-9]+)\s*\}\}$/.exec(line)?.[1];
    const value = name === undefined ? undefined : values.get(name);
    return Array.isArray(value) ? (value as readonly string[]) : [textOf(line, values)];
  });
}

function textOf(text: string, values: ReadonlyMap<string, Value>): string {
  return text.replace(REFERENCE, (_, name: string) => {
    const value = values.get(name);
    if (typeof value !== 'string') throw invalidParameters();
    return value;
  });
}

function scriptOf(commands: readonly string[], directory: string): string {
  const text = commands.join('\n');
  const begins = text.startsWith('#!') ? '' : '#!/bin/sh\n';
  if (directory === '') return `${begins}${text}\n`;
  const [first = '', ...rest] = `${begins}${text}\n`.split('\n');
  return [first, `cd '${directory.replaceAll("'", "'\\''")}' || exit 1`, ...rest].join('\n');
}
