import type {
  CommandInvocation,
  CommandPlugin,
  GetCommandInvocationCommandOutput,
} from '@aws-sdk/client-ssm';
import { REGION } from '../state/account';
import { AwsError } from '../wire';
import type { CommandRecord, InvocationRecord, StepRecord } from './command-records';
import type { CommandStep } from './command-steps';
import { outputKey } from './command-runner';

/** What ListCommandInvocations keeps of both streams together, in characters. */
const OUTPUT_LIMIT = 2500;

const url = (
  command: CommandRecord,
  invocation: InvocationRecord,
  step: CommandStep | undefined,
  stream: string,
): string =>
  command.outputS3BucketName === '' || step === undefined
    ? ''
    : `https://s3.${REGION}.amazonaws.com/${command.outputS3BucketName}/${outputKey(command, invocation, step)}/${stream}`;

/**
 * Of a document with one step, what the whole came to; of one step among several, what that came to.
 *
 * @throws AwsError InvalidPluginName when there are several and none is named
 */
export function toGetCommandInvocation(
  command: CommandRecord,
  invocation: InvocationRecord,
  pluginName: string | undefined,
): Omit<GetCommandInvocationCommandOutput, '$metadata'> {
  const { steps } = command;
  const step = pluginName === undefined && steps.length === 1 ? steps[0] : named(steps, pluginName);
  if (step === undefined)
    throw new AwsError(
      'InvalidPluginName',
      `Plugin ${pluginName ?? ''} not found for invocation with command id ${command.commandId} and instance id ${invocation.instanceId}`,
    );
  const told = steps.length === 1 ? invocation : (named(invocation.steps, step.name) ?? invocation);
  const { startedAt, endedAt } = told;
  return {
    CommandId: command.commandId,
    InstanceId: invocation.instanceId,
    Comment: command.comment,
    DocumentName: command.documentName,
    DocumentVersion: command.documentVersion,
    PluginName: step.name,
    ResponseCode: told.responseCode,
    // Start and duration are told once it is over.
    ...(startedAt !== undefined && endedAt !== undefined
      ? {
          ExecutionStartDateTime: new Date(startedAt).toISOString(),
          ExecutionElapsedTime: `PT${((endedAt - startedAt) / 1000).toFixed(3)}S`,
        }
      : {}),
    ExecutionEndDateTime: endedAt === undefined ? '' : new Date(endedAt).toISOString(),
    Status: told.status,
    StatusDetails: told.statusDetails,
    StandardOutputContent: endedAt === undefined ? '' : told.stdout,
    StandardOutputUrl: url(command, invocation, step, 'stdout'),
    StandardErrorContent: endedAt === undefined ? '' : told.stderr,
    StandardErrorUrl: url(command, invocation, step, 'stderr'),
    CloudWatchOutputConfig: { CloudWatchLogGroupName: '', CloudWatchOutputEnabled: false },
  };
}

export function toCommandInvocation(
  command: CommandRecord,
  invocation: InvocationRecord,
  details: boolean,
): CommandInvocation {
  const [first] = command.steps;
  return {
    CommandId: command.commandId,
    InstanceId: invocation.instanceId,
    InstanceName: '',
    Comment: command.comment,
    DocumentName: command.documentName,
    DocumentVersion: command.documentVersion,
    RequestedDateTime: new Date(invocation.requestedAt),
    Status: invocation.status,
    StatusDetails: invocation.statusDetails,
    StandardOutputUrl: url(command, invocation, first, 'stdout'),
    StandardErrorUrl: url(command, invocation, first, 'stderr'),
    CommandPlugins: details
      ? command.steps.map(({ name }) =>
          toPlugin(
            command,
            name,
            command.steps.length === 1 ? invocation : (named(invocation.steps, name) ?? WAITING),
          ),
        )
      : [],
  };
}

const WAITING = {
  status: 'Pending',
  statusDetails: 'Pending',
  responseCode: -1,
  stdout: '',
  stderr: '',
} as const;

function toPlugin(
  command: CommandRecord,
  name: string,
  told: Pick<StepRecord, 'status' | 'statusDetails' | 'responseCode' | 'stdout' | 'stderr'> &
    Partial<StepRecord>,
): CommandPlugin {
  const { stdout, stderr, startedAt, endedAt } = told;
  const output = stderr === '' ? stdout : `${stdout}\n----------ERROR-------\n${stderr}`;
  return {
    Name: name,
    Status: told.status === 'Cancelling' ? 'InProgress' : told.status,
    StatusDetails: told.statusDetails,
    ResponseCode: told.responseCode,
    ResponseStartDateTime: startedAt === undefined ? undefined : new Date(startedAt),
    ResponseFinishDateTime: endedAt === undefined ? undefined : new Date(endedAt),
    Output: output.slice(0, OUTPUT_LIMIT),
    OutputS3Region: REGION,
    OutputS3BucketName: command.outputS3BucketName,
    OutputS3KeyPrefix: command.outputS3KeyPrefix,
  };
}

function named<T extends { readonly name: string }>(
  list: readonly T[],
  wanted: string | undefined,
): T | undefined {
  return list.find(({ name }) => name === wanted);
}
