import path from 'node:path';
import type {
  CancelCommandCommandInput,
  GetCommandInvocationCommandInput,
  ListCommandInvocationsCommandInput,
  ListCommandsCommandInput,
  SendCommandCommandInput,
} from '@aws-sdk/client-ssm';
import { attachedDisks } from '../ec2/attached-disks';
import type { Machines } from '../instances/machines';
import { JsonDocument, readJson } from '../state/json-document';
import type { LocalEc2State } from '../state/local-ec2-state';
import type { InstanceRecord } from '../state/resources';
import type { Handler } from '../wire';
import { isOver, type CommandRecord } from './command-records';
import { CommandRunner, type PutObject } from './command-runner';
import { createCompliance } from './compliance';
import { describeInstanceInformationHandler } from './instance-information';
import { toCommandInvocation, toGetCommandInvocation } from './invocation-view';
import { documentSteps } from './command-steps';
import { openDocumentStore } from './document-store';
import {
  checkSendCommand,
  instancesFor,
  newCommand,
  SHELL_SCRIPT,
  shellScriptSteps,
  toCommand,
} from './send-command';
import { invalidCommandId, invalidInstanceId, invocationDoesNotExist, validation } from './ssm-errors';

export interface SsmOptions {
  readonly machines: Machines;
  /** Stores the output of commands; local S3. */
  readonly putObject: PutObject;
  /** Where commands are kept over a restart. */
  readonly folder?: string;
}

export interface LocalSsm {
  /** SSM operations by name, for `createService`. */
  readonly handlers: Record<string, Handler>;
  close(): Promise<void>;
}

/** Run Command of the embedded cloud. Every running instance is a managed node: its agent is emulated from outside. */
export async function createSsm(state: LocalEc2State, options: SsmOptions): Promise<LocalSsm> {
  const { machines, putObject, folder } = options;
  const file = folder === undefined ? undefined : path.join(folder, 'ssm.json');
  const commands = new Map<string, CommandRecord>();
  for (const command of (file === undefined ? undefined : await readJson<CommandRecord[]>(file)) ?? []) {
    commands.set(command.commandId, interrupted(command));
  }
  const document = file === undefined ? undefined : new JsonDocument(file, () => [...commands.values()]);
  const changed = () => document?.changed();
  const runner = new CommandRunner({
    clock: state.clock,
    machines,
    putObject,
    changed,
    reboot: async (instanceId) => rebootMachine(state, machines, instanceId),
  });
  const isManaged = (instance: InstanceRecord) =>
    instance.state === 'running' && instance.platform !== 'windows' && machines.isBooted(instance.instanceId);

  const compliance = await createCompliance({
    // A stopped instance has been a managed node before, as far as this cloud can know.
    isKnown: (instanceId) => {
      const instance = state.instances.get(instanceId);
      return instance !== undefined && instance.state !== 'terminated' && instance.platform !== 'windows';
    },
    folder,
  });

  const documents = await openDocumentStore(() => state.now(), folder);

  const handlers: Record<string, Handler> = {
    ...documents.handlers,
    SendCommand(input: SendCommandCommandInput) {
      checkSendCommand(input);
      const { DocumentName = '', DocumentVersion, Parameters = {} } = input;
      const steps =
        DocumentName === SHELL_SCRIPT
          ? shellScriptSteps(input)
          : documentSteps(documents.find(DocumentName, DocumentVersion), Parameters);
      const instances = instancesFor(state, input, isManaged);
      const command = newCommand(input, instances, steps, state.now());
      commands.set(command.commandId, command);
      for (const invocation of command.invocations) void runner.run(command, invocation);
      changed();
      return { Command: toCommand(command, { status: 'Pending' }) };
    },
    GetCommandInvocation(input: GetCommandInvocationCommandInput) {
      const { CommandId = '', InstanceId = '', PluginName } = input;
      checkInstanceId(InstanceId);
      const command = commands.get(CommandId);
      const invocation = command?.invocations.find(({ instanceId }) => instanceId === InstanceId);
      const visible = command && state.now() >= command.requestedAt + state.timings.commandVisible;
      if (!command || !invocation || !visible) throw invocationDoesNotExist(CommandId, InstanceId);
      return toGetCommandInvocation(command, invocation, PluginName);
    },
    ListCommandInvocations(input: ListCommandInvocationsCommandInput) {
      const found = [...commands.values()]
        .filter(({ commandId }) => input.CommandId === undefined || commandId === input.CommandId)
        .flatMap((command) => command.invocations.map((invocation) => ({ command, invocation })))
        .filter(
          ({ invocation }) => input.InstanceId === undefined || invocation.instanceId === input.InstanceId,
        );
      return {
        CommandInvocations: found.map(({ command, invocation }) =>
          toCommandInvocation(command, invocation, input.Details ?? false),
        ),
      };
    },
    ListCommands(input: ListCommandsCommandInput) {
      const found = [...commands.values()]
        .filter(({ commandId }) => input.CommandId === undefined || commandId === input.CommandId)
        .filter(
          ({ invocations }) =>
            input.InstanceId === undefined ||
            invocations.some(({ instanceId }) => instanceId === input.InstanceId),
        )
        .reverse();
      return { Commands: found.map((command) => toCommand(command)) };
    },
    CancelCommand(input: CancelCommandCommandInput): void {
      const command = commands.get(input.CommandId ?? '');
      if (!command) throw invalidCommandId(input.CommandId ?? '');
      const wanted = new Set(input.InstanceIds ?? []);
      for (const id of wanted)
        if (!command.invocations.some(({ instanceId }) => instanceId === id)) throw invalidInstanceId();
      for (const invocation of command.invocations)
        if ((wanted.size === 0 || wanted.has(invocation.instanceId)) && !isOver(invocation.status)) {
          invocation.status = 'Cancelling';
          invocation.statusDetails = 'Cancelling';
          runner.cancel(invocation);
        }
      changed();
    },
    DescribeInstanceInformation: describeInstanceInformationHandler(state, isManaged),
    GetConnectionStatus(input: { Target?: string }) {
      const instance = state.instances.get(input.Target ?? '');
      const Status = instance && isManaged(instance) ? ('connected' as const) : ('notconnected' as const);
      return { Target: input.Target, Status };
    },
    ...compliance.handlers,
  };
  return {
    handlers,
    async close() {
      await runner.close();
      await document?.flush();
      await compliance.flush();
      await documents.flush();
    },
  };
}

/** A command that was running when its process ended has no script any more. */
function interrupted(command: CommandRecord): CommandRecord {
  for (const invocation of command.invocations)
    if (!isOver(invocation.status)) {
      invocation.status = 'Failed';
      invocation.statusDetails = 'Failed';
      invocation.responseCode = 1;
      invocation.stderr += 'The embedded cloud was stopped while this command ran.\n';
      invocation.endedAt ??= invocation.startedAt ?? invocation.requestedAt;
    }
  return command;
}

function checkInstanceId(instanceId: string): void {
  if (!/^i-(\w{8}|\w{17})$|^mi-\w{17}$/.test(instanceId))
    throw validation(
      `2 validation errors detected: Value '${instanceId}' at 'instanceId' failed to satisfy constraint: Member must have length greater than or equal to 10; ` +
        `Value '${instanceId}' at 'instanceId' failed to satisfy constraint: Member must satisfy regular expression pattern: (^i-(\\w{8}|\\w{17})$)|(^mi-\\w{17}$)`,
    );
}

/** The agent reboots its machine: the instance stays `running` all the while. */
async function rebootMachine(state: LocalEc2State, machines: Machines, instanceId: string): Promise<void> {
  await machines.shutDown(instanceId);
  await machines.boot({ instanceId, disks: attachedDisks(state, instanceId) });
}
