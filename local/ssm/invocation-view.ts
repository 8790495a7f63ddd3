import type { CommandInvocation, GetCommandInvocationCommandOutput } from '@aws-sdk/client-ssm';
import { REGION } from '../state/account';
import type { CommandRecord, InvocationRecord } from './command-records';
import { outputKey } from './command-runner';

const PLUGIN = 'aws:runShellScript';
/** What ListCommandInvocations keeps of both streams together, in characters. */
const OUTPUT_LIMIT = 2500;

const url = (command: CommandRecord, invocation: InvocationRecord, stream: string): string =>
  command.outputS3BucketName === ''
    ? ''
    : `https://s3.${REGION}.amazonaws.com/${command.outputS3BucketName}/${outputKey(command, invocation)}/${stream}`;

export function toGetCommandInvocation(
  command: CommandRecord,
  invocation: InvocationRecord,
): Omit<GetCommandInvocationCommandOutput, '$metadata'> {
  const { startedAt, endedAt } = invocation;
  return {
    CommandId: command.commandId,
    InstanceId: invocation.instanceId,
    Comment: command.comment,
    DocumentName: command.documentName,
    DocumentVersion: '$DEFAULT',
    PluginName: PLUGIN,
    ResponseCode: invocation.responseCode,
    // Start and duration are told once it is over.
    ...(startedAt !== undefined && endedAt !== undefined
      ? {
          ExecutionStartDateTime: new Date(startedAt).toISOString(),
          ExecutionElapsedTime: `PT${((endedAt - startedAt) / 1000).toFixed(3)}S`,
        }
      : {}),
    ExecutionEndDateTime: endedAt === undefined ? '' : new Date(endedAt).toISOString(),
    Status: invocation.status,
    StatusDetails: invocation.statusDetails,
    StandardOutputContent: endedAt === undefined ? '' : invocation.stdout,
    StandardOutputUrl: url(command, invocation, 'stdout'),
    StandardErrorContent: endedAt === undefined ? '' : invocation.stderr,
    StandardErrorUrl: url(command, invocation, 'stderr'),
    CloudWatchOutputConfig: { CloudWatchLogGroupName: '', CloudWatchOutputEnabled: false },
  };
}

export function toCommandInvocation(
  command: CommandRecord,
  invocation: InvocationRecord,
  details: boolean,
): CommandInvocation {
  const output =
    invocation.stderr === ''
      ? invocation.stdout
      : `${invocation.stdout}\n----------ERROR-------\n${invocation.stderr}`;
  return {
    CommandId: command.commandId,
    InstanceId: invocation.instanceId,
    InstanceName: '',
    Comment: command.comment,
    DocumentName: command.documentName,
    DocumentVersion: '$DEFAULT',
    RequestedDateTime: new Date(invocation.requestedAt),
    Status: invocation.status,
    StatusDetails: invocation.statusDetails,
    StandardOutputUrl: url(command, invocation, 'stdout'),
    StandardErrorUrl: url(command, invocation, 'stderr'),
    CommandPlugins: details
      ? [
          {
            Name: PLUGIN,
            Status: invocation.status === 'Cancelling' ? 'InProgress' : invocation.status,
            StatusDetails: invocation.statusDetails,
            ResponseCode: invocation.responseCode,
            ResponseStartDateTime:
              invocation.startedAt === undefined ? undefined : new Date(invocation.startedAt),
            ResponseFinishDateTime:
              invocation.endedAt === undefined ? undefined : new Date(invocation.endedAt),
            Output: output.slice(0, OUTPUT_LIMIT),
            OutputS3Region: REGION,
            OutputS3BucketName: command.outputS3BucketName,
            OutputS3KeyPrefix: command.outputS3KeyPrefix,
          },
        ]
      : [],
  };
}
