import {
  DescribeInstanceInformationCommand,
  GetCommandInvocationCommand,
  ListCommandInvocationsCommand,
  type GetCommandInvocationResult,
  type SSMClient,
  SendCommandCommand,
  type SendCommandCommandInput,
  paginateDescribeInstanceInformation,
  paginateListCommands,
} from '@aws-sdk/client-ssm';
import { hasCode } from '../service-errors';

/** Seconds that a command waits for the agent to take it. */
const DELIVERY_SECONDS = 600;

/** Shell commands and the seconds they may take, or a document that says such things itself. */
export type CommandWork =
  | { readonly commands: readonly string[]; readonly timeoutSeconds: number }
  | {
      readonly document: {
        readonly name: string;
        readonly version?: string;
        readonly parameters: Record<string, string[]>;
      };
    };

export type CommandRequest = CommandWork & {
  readonly instanceId: string;
  /** At most 100 characters. */
  readonly comment: string;
  /** Where the whole output goes; what the API returns is cut. */
  readonly output?: { readonly bucket: string; readonly prefix: string };
};

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
 * Sends a command to one instance, or finds the command that an earlier try sent. SendCommand takes no client token:
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
      TimeoutSeconds: DELIVERY_SECONDS,
      Comment: request.comment,
      ...documentOf(request),
      ...(request.output === undefined
        ? {}
        : { OutputS3BucketName: request.output.bucket, OutputS3KeyPrefix: request.output.prefix }),
    }),
  );
  return answer.Command!.CommandId!;
}

function documentOf(
  work: CommandWork,
): Pick<SendCommandCommandInput, 'DocumentName' | 'DocumentVersion' | 'Parameters'> {
  if ('document' in work) {
    const { name, version, parameters } = work.document;
    return {
      DocumentName: name,
      Parameters: parameters,
      ...(version !== undefined && { DocumentVersion: version }),
    };
  }
  const { commands, timeoutSeconds } = work;
  return {
    DocumentName: 'AWS-RunShellScript',
    Parameters: { commands: [...commands], executionTimeout: [String(timeoutSeconds)] },
  };
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
  if (!ENDS.has(status)) return { ended: false, status };
  return {
    ended: true,
    succeeded: status === 'Success',
    status: invocation.StatusDetails || status,
    exitCode: invocation.ResponseCode ?? -1,
    output: invocation.StandardOutputContent ?? '',
    errorOutput: invocation.StandardErrorContent ?? '',
  };
}

const ENDS = new Set(['Success', 'Failed', 'TimedOut', 'Cancelled']);

/**
 * How a command stands whose document may have several steps: GetCommandInvocation tells of one step only, by its name.
 * The exit code is that of the first step that failed.
 */
export async function documentState(
  ssm: SSMClient,
  commandId: string,
  instanceId: string,
): Promise<CommandState> {
  const { CommandInvocations = [] } = await ssm.send(
    new ListCommandInvocationsCommand({ CommandId: commandId, InstanceId: instanceId, Details: true }),
  );
  const [invocation] = CommandInvocations;
  const status = invocation?.Status ?? 'Pending';
  if (invocation === undefined || !ENDS.has(status)) return { ended: false, status };
  const steps = invocation.CommandPlugins ?? [];
  const failed = steps.find(({ ResponseCode = 0 }) => ResponseCode !== 0);
  return {
    ended: true,
    succeeded: status === 'Success',
    status: invocation.StatusDetails || status,
    exitCode: failed?.ResponseCode ?? (status === 'Success' ? 0 : -1),
    output: steps.map(({ Output = '' }) => Output).join(''),
    errorOutput: '',
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
