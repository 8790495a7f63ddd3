import type { Clock } from '../clock';
import type { Machines } from '../instances/machines';
import type { CommandRecord, InvocationRecord } from './command-records';
import type { CommandStep } from './command-steps';

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

  /** One step after the other; one that fails does not keep the next from being run, unless it says so. */
  private async execute(
    command: CommandRecord,
    invocation: InvocationRecord,
    signal: AbortSignal,
  ): Promise<void> {
    let end: StepEnd = { status: 'Success', details: 'Success', code: 0 };
    for (const step of command.steps) {
      const startedAt = this.options.clock.now().getTime();
      const { stdout, stderr, ...ended } = await this.runStep(command, invocation, step, signal);
      const { status, details: statusDetails, code: responseCode } = ended;
      const endedAt = this.options.clock.now().getTime();
      const { name } = step;
      invocation.steps.push({
        name,
        status,
        statusDetails,
        responseCode,
        startedAt,
        endedAt,
        stdout,
        stderr,
      });
      if (end.status === 'Success') end = ended;
      if (status === 'Cancelled' || (status !== 'Success' && step.exitsOnFailure)) break;
    }
    invocation.status = end.status;
    invocation.statusDetails = end.details;
    invocation.responseCode = end.code;
  }

  private async runStep(
    command: CommandRecord,
    invocation: InvocationRecord,
    step: CommandStep,
    signal: AbortSignal,
  ): Promise<StepEnd & { stdout: string; stderr: string }> {
    const { machines, reboot, changed } = this.options;
    const [earlierOutput, earlierErrors] = [invocation.stdout, invocation.stderr];
    let [stdout, stderr] = ['', ''];
    for (let reboots = 0; ; reboots += 1) {
      const result = await machines.run(invocation.instanceId, step.script, {
        // A script takes real time, whatever the speed of the cloud's clock.
        timeoutMs: step.timeoutSeconds * 1000,
        signal,
      });
      stdout += result.stdout;
      stderr += result.stderr;
      invocation.stdout = (earlierOutput + stdout).slice(0, STDOUT_LIMIT);
      if (result.exitCode === REBOOT_EXIT_CODE && !signal.aborted && reboots < MAX_REBOOTS) {
        changed();
        await reboot(invocation.instanceId);
        continue;
      }
      const failed = result.exitCode !== 0 && !result.timedOut && !signal.aborted;
      if (failed) stderr += `failed to run commands: exit status ${result.exitCode}`;
      invocation.stderr = (earlierErrors + stderr).slice(0, STDERR_LIMIT);
      await this.storeOutput(command, invocation, step, { stdout, stderr });
      const kept = { stdout: stdout.slice(0, STDOUT_LIMIT), stderr: stderr.slice(0, STDERR_LIMIT) };
      if (signal.aborted)
        return { ...kept, status: 'Cancelled', details: 'Cancelled', code: KILLED_EXIT_CODE };
      if (result.timedOut)
        return { ...kept, status: 'TimedOut', details: 'ExecutionTimedOut', code: KILLED_EXIT_CODE };
      const status = failed ? 'Failed' : 'Success';
      return { ...kept, status, details: status, code: failed ? result.exitCode : 0 };
    }
  }

  private async storeOutput(
    command: CommandRecord,
    invocation: InvocationRecord,
    step: CommandStep,
    streams: { readonly stdout: string; readonly stderr: string },
  ): Promise<void> {
    if (command.outputS3BucketName === '') return;
    const key = outputKey(command, invocation, step);
    for (const [name, text] of Object.entries(streams)) {
      if (text !== '')
        await this.options.putObject(command.outputS3BucketName, `${key}/${name}`, Buffer.from(text));
    }
  }
}

interface StepEnd {
  readonly status: InvocationRecord['status'];
  readonly details: string;
  readonly code: number;
}

/** Where in the bucket the output of a step goes, without the stream's name. */
export const outputKey = (
  command: CommandRecord,
  { commandId, instanceId }: InvocationRecord,
  { outputFolder }: CommandStep,
): string =>
  [command.outputS3KeyPrefix, commandId, instanceId, outputFolder].filter((part) => part !== '').join('/');
