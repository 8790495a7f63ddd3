import { randomUUID } from 'node:crypto';
import type { Command, SendCommandCommandInput, Target } from '@aws-sdk/client-ssm';
import { REGION } from '../state/account';
import type { LocalEc2State } from '../state/local-ec2-state';
import type { InstanceRecord } from '../state/resources';
import { type CommandStep, shellScriptStep } from './command-steps';
import { commandStatus, isOver, type CommandRecord, type InvocationRecord } from './command-records';
import { constraint, invalidInstanceId, invalidParameters, validation } from './ssm-errors';

export const SHELL_SCRIPT = 'AWS-RunShellScript';
const DEFAULT_EXECUTION_TIMEOUT = 3600;
const MIN_EXECUTION_TIMEOUT = 5;
const DEFAULT_DELIVERY_TIMEOUT = 3600;
const MAX_CONCURRENCY = /^([1-9][0-9]*|[1-9][0-9]%|[1-9]%|100%)$/;
const MAX_ERRORS = /^([1-9][0-9]*|[0]|[1-9][0-9]%|[0-9]%|100%)$/;
const PARAMETERS = new Set(['commands', 'workingDirectory', 'executionTimeout']);

/** @throws AwsError as SendCommand refuses. */
export function checkSendCommand(input: SendCommandCommandInput): void {
  if (input.TimeoutSeconds !== undefined && input.TimeoutSeconds < 30)
    throw constraint(
      'timeoutSeconds',
      String(input.TimeoutSeconds),
      'have value greater than or equal to 30',
    );
  for (const [member, value, pattern] of [
    ['maxConcurrency', input.MaxConcurrency, MAX_CONCURRENCY],
    ['maxErrors', input.MaxErrors, MAX_ERRORS],
  ] as const)
    if (value !== undefined && !pattern.test(value))
      throw constraint(member, value, `satisfy regular expression pattern: ${pattern.source}`);
  if (input.Comment !== undefined && input.Comment.length > 100)
    throw constraint('comment', input.Comment, 'have length less than or equal to 100');
  if (!input.InstanceIds?.length && !input.Targets?.length)
    throw validation('Either InstanceIds or Targets must be specified.');
}

/** @throws AwsError InvalidParameters */
export function shellScriptSteps({ Parameters = {} }: SendCommandCommandInput): CommandStep[] {
  if (Object.keys(Parameters).some((name) => !PARAMETERS.has(name)) || !Parameters['commands']?.length)
    throw invalidParameters();
  return [shellScriptStep(Parameters, executionTimeout(Parameters))];
}

/** Of AWS-RunShellScript; below the least the agent takes the default instead. */
function executionTimeout(parameters: Readonly<Record<string, readonly string[]>>): number {
  const asked = Number(parameters['executionTimeout']?.[0] ?? DEFAULT_EXECUTION_TIMEOUT);
  return asked >= MIN_EXECUTION_TIMEOUT ? asked : DEFAULT_EXECUTION_TIMEOUT;
}

/** Instances that a command goes to. Those named must all be managed now; a tag may match none. */
export function instancesFor(
  state: LocalEc2State,
  input: SendCommandCommandInput,
  isManaged: (instance: InstanceRecord) => boolean,
): InstanceRecord[] {
  if (input.InstanceIds?.length) {
    const instances = input.InstanceIds.map((id) => state.instances.get(id));
    return instances.map((instance) => {
      if (!instance || !isManaged(instance)) throw invalidInstanceId();
      return instance;
    });
  }
  const targets = input.Targets ?? [];
  return [...state.instances.values()].filter(
    (instance) => isManaged(instance) && targets.every((target) => fits(instance, target)),
  );
}

function fits(instance: InstanceRecord, { Key = '', Values = [] }: Target): boolean {
  if (Key === 'InstanceIds') return Values.includes(instance.instanceId) || Values.includes('*');
  if (Key === 'tag-key') return Values.some((name) => name in instance.tags);
  if (Key.startsWith('tag:')) {
    const value = instance.tags[Key.slice('tag:'.length)];
    return value !== undefined && Values.includes(value);
  }
  throw validation(`The target key ${Key} is not valid.`);
}

export function newCommand(
  input: SendCommandCommandInput,
  instances: readonly InstanceRecord[],
  steps: readonly CommandStep[],
  now: number,
): CommandRecord {
  const commandId = randomUUID();
  const invocation = (instance: InstanceRecord): InvocationRecord => ({
    commandId,
    instanceId: instance.instanceId,
    instanceName: instance.tags['Name'] ?? '',
    status: 'InProgress',
    statusDetails: 'InProgress',
    responseCode: -1,
    requestedAt: now,
    stdout: '',
    stderr: '',
    steps: [],
  });
  return {
    commandId,
    documentName: input.DocumentName ?? '',
    documentVersion: input.DocumentVersion ?? '$DEFAULT',
    steps,
    comment: input.Comment ?? '',
    parameters: input.Parameters ?? {},
    instanceIds: [...(input.InstanceIds ?? [])],
    targets: input.Targets ?? [],
    requestedAt: now,
    timeoutSeconds: input.TimeoutSeconds ?? DEFAULT_DELIVERY_TIMEOUT,
    outputS3BucketName: input.OutputS3BucketName ?? '',
    outputS3KeyPrefix: input.OutputS3KeyPrefix ?? '',
    maxConcurrency: input.MaxConcurrency ?? '50',
    maxErrors: input.MaxErrors ?? '0',
    targetCount: instances.length,
    invocations: instances.map(invocation),
  };
}

/** Empty members are sent, not left out. */
export function toCommand(command: CommandRecord, answered?: { status: 'Pending' }): Command {
  const { status, details } = commandStatus(command);
  const ended = command.invocations.filter((invocation) => isOver(invocation.status));
  const asked = Number(command.parameters['executionTimeout']?.[0] ?? DEFAULT_EXECUTION_TIMEOUT);
  return {
    CommandId: command.commandId,
    DocumentName: command.documentName,
    DocumentVersion: command.documentVersion,
    Comment: command.comment,
    ExpiresAfter: new Date(command.requestedAt + (command.timeoutSeconds + asked) * 1000),
    Parameters: command.parameters,
    InstanceIds: command.instanceIds,
    Targets: command.targets,
    RequestedDateTime: new Date(command.requestedAt),
    Status: answered?.status ?? (status === 'Cancelling' ? 'Cancelling' : status),
    StatusDetails: answered?.status ?? details,
    OutputS3Region: REGION,
    OutputS3BucketName: command.outputS3BucketName,
    OutputS3KeyPrefix: command.outputS3KeyPrefix,
    MaxConcurrency: command.maxConcurrency,
    MaxErrors: command.maxErrors,
    TargetCount: command.targetCount,
    CompletedCount: ended.length,
    ErrorCount: ended.filter(
      (invocation) =>
        (invocation.status === 'Failed' || invocation.status === 'TimedOut') &&
        invocation.statusDetails !== 'DeliveryTimedOut',
    ).length,
    DeliveryTimedOutCount: ended.filter(({ statusDetails }) => statusDetails === 'DeliveryTimedOut').length,
    ServiceRole: '',
    NotificationConfig: { NotificationArn: '', NotificationEvents: [], NotificationType: '' as 'Command' },
    CloudWatchOutputConfig: { CloudWatchLogGroupName: '', CloudWatchOutputEnabled: false },
    TimeoutSeconds: command.timeoutSeconds,
    AlarmConfiguration: { IgnorePollAlarmFailure: false, Alarms: [] },
    TriggeredAlarms: [],
  };
}
