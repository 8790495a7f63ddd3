import { AwsError } from '../wire';

/** Types of parameters that are emulated (Systems Manager, "SSM documents: data elements and parameters"). */
const TYPES = ['String', 'StringList', 'Boolean', 'Integer'] as const;

export interface DocumentParameter {
  readonly type: (typeof TYPES)[number];
  readonly default?: string | readonly string[] | boolean | number;
  readonly allowedValues?: readonly unknown[];
  readonly allowedPattern?: string;
}

/** A step `aws:runShellScript`; its texts may hold `{{ parameter }}`. */
export interface DocumentStep {
  readonly name: string;
  readonly runCommand: string | readonly string[];
  readonly workingDirectory: string;
  readonly timeoutSeconds: string;
  /** By default the next step is run. */
  readonly exitsOnFailure: boolean;
}

export interface DocumentContent {
  readonly parameters: Readonly<Record<string, DocumentParameter>>;
  readonly steps: readonly DocumentStep[];
}

const invalid = (why: string): AwsError => new AwsError('InvalidDocumentContent', why);
const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * Reads a Command document of schema version 2.2 in JSON. What is not emulated is refused when the document is created: it
 * must not do something else here than on AWS.
 *
 * @throws AwsError InvalidDocumentContent, InvalidDocumentSchemaVersion
 */
export function parseDocument(text: string): DocumentContent {
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch {
    throw invalid('The content is no JSON. YAML documents are not emulated here.');
  }
  if (!isObject(content)) throw invalid('The content is no JSON object.');
  if (content['schemaVersion'] !== '2.2')
    throw new AwsError(
      'InvalidDocumentSchemaVersion',
      'Command documents are of schema version 2.2; others are not emulated here.',
    );
  const { mainSteps } = content;
  if (!Array.isArray(mainSteps) || mainSteps.length === 0)
    throw invalid('mainSteps must be a list of at least one step.');
  const steps = mainSteps.flatMap((step: unknown) => parseStep(step));
  if (new Set(steps.map(({ name }) => name)).size < steps.length)
    throw invalid('The names of steps must differ.');
  return { parameters: parseParameters(content['parameters'] ?? {}), steps };
}

function parseParameters(value: unknown): Record<string, DocumentParameter> {
  if (!isObject(value)) throw invalid('parameters must be an object.');
  for (const [name, parameter] of Object.entries(value)) {
    if (!/^[A-Za-z0-9]+$/.test(name) || !isObject(parameter))
      throw invalid(`The parameter ${name} is not valid.`);
    if (!TYPES.includes(parameter['type'] as DocumentParameter['type']))
      throw invalid(
        `The parameter ${name} is of type ${String(parameter['type'])}, which is not emulated here.`,
      );
  }
  return value as unknown as Record<string, DocumentParameter>;
}

function parseStep(step: unknown): DocumentStep[] {
  if (!isObject(step) || typeof step['name'] !== 'string' || !/^[A-Za-z0-9_-]{3,128}$/.test(step['name']))
    throw invalid('A step needs a name of 3 to 128 letters, digits, dashes and underscores.');
  const { name, action, precondition, inputs } = step;
  if (precondition !== undefined && !isForLinux(precondition)) return [];
  if (action !== 'aws:runShellScript')
    throw invalid(`The step ${name} does ${String(action)}, which is not emulated here.`);
  if (!isObject(inputs)) throw invalid(`The step ${name} has no inputs.`);
  const { runCommand, workingDirectory = '', timeoutSeconds = '3600', onFailure, ...other } = inputs;
  const unknown = Object.keys(other);
  if (unknown.length > 0)
    throw invalid(`The step ${name} has the input ${unknown[0]}, which is not emulated here.`);
  if (onFailure !== undefined && onFailure !== 'exit')
    throw invalid(`The step ${name} has onFailure ${String(onFailure)}, which is not emulated here.`);
  const isText = typeof runCommand === 'string';
  if (!isText && !(Array.isArray(runCommand) && runCommand.every((line) => typeof line === 'string')))
    throw invalid(`The step ${name} has no runCommand.`);
  return [
    {
      name,
      runCommand,
      workingDirectory: String(workingDirectory),
      timeoutSeconds: String(timeoutSeconds),
      exitsOnFailure: onFailure === 'exit',
    },
  ];
}

/** The one kind of precondition: `{"StringEquals": ["platformType", "Linux"]}`. */
function isForLinux(precondition: unknown): boolean {
  const words = isObject(precondition) ? precondition['StringEquals'] : undefined;
  if (!Array.isArray(words) || words.length !== 2 || !words.includes('platformType'))
    throw invalid('Only preconditions on the platformType are emulated here.');
  return words.includes('Linux');
}
