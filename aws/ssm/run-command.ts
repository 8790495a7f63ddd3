import {
  DescribeInstanceInformationCommand,
  GetCommandInvocationCommand,
  type GetCommandInvocationResult,
  type SSMClient,
  SendCommandCommand,
  paginateDescribeInstanceInformation,
  paginateListCommands,
} from '@aws-sdk/client-ssm';
import { hasCode } from '../service-errors';

/** Seconds that a command waits for the agent to take it. */
const DELIVERY_SECONDS = 600;

export interface CommandRequest {
  readonly instanceId: string;
  readonly commands: readonly string[];
  readonly timeoutSeconds: number;
  /** At most 100 characters. */
  readonly comment: string;
  /** Where the whole output goes; what the API returns is cut. */
  readonly output?: { readonly bucket: string; readonly prefix: string };
}

export type CommandState =
  | { readonly ended: false; readonly status: string }
  | {
      readonly ended: true;
      readonly succeeded: boolean;
      /** Status of the invocation, or what is known about how it ended (ExecutionTimedOut, DeliveryTimedOut...). */
      readonly status: string;
      readonly exitCode: number;
      readonly output: string;
      readonly errorOutput: string;
    };

/**
 * Sends shell commands to one instance, or finds the command that an earlier try sent. SendCommand takes no client token:
 * the comment, which must tell this command from all others, is what keeps a retry from sending it twice.
 */
export async function sendCommandOnce(
  { ssm, ssmOnce }: { readonly ssm: SSMClient; readonly ssmOnce: SSMClient },
  request: CommandRequest,
): Promise<string> {
  const sent = await findCommand(ssm, request);
  if (sent !== undefined) return sent;
  const answer = await ssmOnce.send(
    new SendCommandCommand({
      InstanceIds: [request.instanceId],
      DocumentName: 'AWS-RunShellScript',
      TimeoutSeconds: DELIVERY_SECONDS,
      Comment: request.comment,
      Parameters: {
        commands: [...request.commands],
        executionTimeout: [String(request.timeoutSeconds)],
      },
      ...(request.output === undefined
        ? {}
        : { OutputS3BucketName: request.output.bucket, OutputS3KeyPrefix: request.output.prefix }),
    }),
  );
  return answer.Command!.CommandId!;
}

async function findCommand(
  ssm: SSMClient,
  { instanceId, comment }: CommandRequest,
): Promise<string | undefined> {
  const pages = paginateListCommands({ client: ssm, pageSize: 50 }, { InstanceId: instanceId });
  for await (const page of pages) {
    const found = page.Commands?.find(({ Comment }) => Comment === comment);
    if (found !== undefined) return found.CommandId;
  }
  return undefined;
}

/**
 * How a command stands. A status can go back from InProgress to Delayed, and for a moment after SendCommand the invocation
 * does not exist: only an end is an end. A reboot (exit code 194) is none: the agent runs the commands again.
 */
export async function commandState(
  ssm: SSMClient,
  commandId: string,
  instanceId: string,
): Promise<CommandState> {
  let invocation: GetCommandInvocationResult;
  try {
    invocation = await ssm.send(
      new GetCommandInvocationCommand({ CommandId: commandId, InstanceId: instanceId }),
    );
  } catch (error) {
    if (hasCode(error, 'InvocationDoesNotExist')) return { ended: false, status: 'Pending' };
    throw error;
  }
  const status = invocation.Status ?? 'Pending';
  if (!['Success', 'Failed', 'TimedOut', 'Cancelled'].includes(status)) return { ended: false, status };
  return {
    ended: true,
    succeeded: status === 'Success',
    status: invocation.StatusDetails || status,
    exitCode: invocation.ResponseCode ?? -1,
    output: invocation.StandardOutputContent ?? '',
    errorOutput: invocation.StandardErrorContent ?? '',
  };
}

/** Ids of all instances whose agent answers. */
export async function onlineInstances(ssm: SSMClient): Promise<Set<string>> {
  const online = new Set<string>();
  const pages = paginateDescribeInstanceInformation(
    { client: ssm, pageSize: 50 },
    { Filters: [{ Key: 'PingStatus', Values: ['Online'] }] },
  );
  for await (const page of pages) {
    for (const { InstanceId } of page.InstanceInformationList ?? []) {
      if (InstanceId !== undefined) online.add(InstanceId);
    }
  }
  return online;
}

export async function isOnline(ssm: SSMClient, instanceId: string): Promise<boolean> {
  const answer = await ssm.send(
    new DescribeInstanceInformationCommand({ Filters: [{ Key: 'InstanceIds', Values: [instanceId] }] }),
  );
  return answer.InstanceInformationList?.[0]?.PingStatus === 'Online';
}
