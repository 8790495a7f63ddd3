import type { Clock } from '../clock';
import type { Machines } from '../instances/machines';
import type { CommandRecord, InvocationRecord } from './command-records';

/** A script that exits with this asks for a reboot and is then run again from the top (Run Command, "Handling reboots"). */
const REBOOT_EXIT_CODE = 194;
/** The agent gives up on a script that asks for ever. */
const MAX_REBOOTS = 10;
const KILLED_EXIT_CODE = 137;
/** What GetCommandInvocation keeps of each stream, in characters. */
const STDOUT_LIMIT = 24_000;
const STDERR_LIMIT = 8_000;

export type PutObject = (bucket: string, key: string, body: Buffer) => Promise<void>;

export interface CommandRunnerOptions {
  readonly clock: Clock;
  readonly machines: Machines;
  readonly putObject: PutObject;
  /** Turns an instance off and on, with its states. */
  readonly reboot: (instanceId: string) => Promise<void>;
  readonly changed: () => void;
}

/** The emulated SSM agent: runs a command's script inside a machine and notes how it went. */
export class CommandRunner {
  private readonly underWay = new Map<InvocationRecord, AbortController>();

  constructor(private readonly options: CommandRunnerOptions) {}

  /** Runs one invocation to its end; never throws, what goes wrong is the invocation's status. */
  async run(command: CommandRecord, invocation: InvocationRecord): Promise<void> {
    const { clock, changed } = this.options;
    const cancelled = new AbortController();
    this.underWay.set(invocation, cancelled);
    invocation.startedAt = clock.now().getTime();
    try {
      await this.execute(command, invocation, cancelled.signal);
    } catch (error) {
      invocation.status = cancelled.signal.aborted ? 'Cancelled' : 'Failed';
      invocation.statusDetails = invocation.status;
      invocation.responseCode = cancelled.signal.aborted ? KILLED_EXIT_CODE : 1;
      invocation.stderr += `${error instanceof Error ? error.message : String(error)}\n`;
    } finally {
      this.underWay.delete(invocation);
      invocation.endedAt = clock.now().getTime();
      changed();
    }
  }

  cancel(invocation: InvocationRecord): void {
    this.underWay.get(invocation)?.abort();
  }

  /** Kills all scripts. */
  async close(): Promise<void> {
    for (const cancelled of this.underWay.values()) cancelled.abort();
    while (this.underWay.size > 0) await new Promise((resolve) => setTimeout(resolve, 20));
  }

  private async execute(
    command: CommandRecord,
    invocation: InvocationRecord,
    signal: AbortSignal,
  ): Promise<void> {
    const { machines, reboot, changed } = this.options;
    const script = scriptOf(command);
    let [stdout, stderr] = ['', ''];
    for (let reboots = 0; ; reboots += 1) {
      const result = await machines.run(invocation.instanceId, script, {
        // A script takes real time, whatever the speed of the cloud's clock.
        timeoutMs: command.executionTimeoutSeconds * 1000,
        signal,
      });
      stdout += result.stdout;
      stderr += result.stderr;
      invocation.stdout = stdout.slice(0, STDOUT_LIMIT);
      if (result.exitCode === REBOOT_EXIT_CODE && !signal.aborted && reboots < MAX_REBOOTS) {
        changed();
        await reboot(invocation.instanceId);
        continue;
      }
      const failed = result.exitCode !== 0 && !result.timedOut && !signal.aborted;
      if (failed) stderr += `failed to run commands: exit status ${result.exitCode}`;
      invocation.stderr = stderr.slice(0, STDERR_LIMIT);
      await this.storeOutput(command, invocation, stdout, stderr);
      if (signal.aborted) conclude(invocation, 'Cancelled', 'Cancelled', KILLED_EXIT_CODE);
      else if (result.timedOut) conclude(invocation, 'TimedOut', 'ExecutionTimedOut', KILLED_EXIT_CODE);
      else if (failed) conclude(invocation, 'Failed', 'Failed', result.exitCode);
      else conclude(invocation, 'Success', 'Success', 0);
      return;
    }
  }

  private async storeOutput(
    command: CommandRecord,
    invocation: InvocationRecord,
    stdout: string,
    stderr: string,
  ): Promise<void> {
    if (command.outputS3BucketName === '') return;
    const key = outputKey(command, invocation);
    if (stdout !== '')
      await this.options.putObject(command.outputS3BucketName, `${key}/stdout`, Buffer.from(stdout));
    if (stderr !== '')
      await this.options.putObject(command.outputS3BucketName, `${key}/stderr`, Buffer.from(stderr));
  }
}

function conclude(
  invocation: InvocationRecord,
  status: InvocationRecord['status'],
  statusDetails: string,
  responseCode: number,
): void {
  invocation.status = status;
  invocation.statusDetails = statusDetails;
  invocation.responseCode = responseCode;
}

/** Where in the bucket an invocation's output goes, without the stream's name. */
export const outputKey = (command: CommandRecord, { commandId, instanceId }: InvocationRecord): string =>
  [command.outputS3KeyPrefix, commandId, instanceId, 'awsrunShellScript/0.awsrunShellScript']
    .filter((part) => part !== '')
    .join('/');

function scriptOf({ parameters }: CommandRecord): string {
  const commands = (parameters['commands'] ?? []).join('\n');
  const directory = parameters['workingDirectory']?.[0] ?? '';
  const begins = commands.startsWith('#!') ? '' : '#!/bin/sh\n';
  if (directory === '') return `${begins}${commands}\n`;
  const [first = '', ...rest] = `${begins}${commands}\n`.split('\n');
  return [first, `cd '${directory.replaceAll("'", "'\\''")}' || exit 1`, ...rest].join('\n');
}
