import type { AttachedDisk } from '../disks/disk-filesystems';

/** What a machine is booted from and known by. */
export interface MachineToBoot {
  readonly instanceId: string;
  /** Its volumes, the root volume first: raw disk files, partition tables included or not. */
  readonly disks: readonly AttachedDisk[];
}

export interface RunOptions {
  /** Milliseconds of real time after which the script is killed. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

export interface RunResult {
  /** Exit status of the script; 128 + signal number when it was killed by one. */
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly timedOut: boolean;
}

/** The machines behind running instances. The seam that lets EC2 and SSM be tested without booting any. */
export interface Machines {
  /** Resolves when the machine has reached its default target. */
  boot(machine: MachineToBoot): Promise<void>;
  /** Powers the machine off in an orderly way, by force after a while; resolves when its disk is released. */
  shutDown(instanceId: string): Promise<void>;
  /** Runs a shell script as root inside. */
  run(instanceId: string, script: string, options: RunOptions): Promise<RunResult>;
  isBooted(instanceId: string): boolean;
  /** What the machine wrote to its console, from all boots. */
  consoleOutput(instanceId: string): Promise<string>;
  /** Called when a machine goes off by itself. */
  onPowerOff(listener: (instanceId: string) => void): void;
  /** Powers all machines off. */
  close(): Promise<void>;
}

/** Machines that are on or off and do nothing else: for tests and for a cloud without root rights. */
export class ImaginaryMachines implements Machines {
  private readonly booted = new Set<string>();
  private readonly listeners: ((instanceId: string) => void)[] = [];

  constructor(
    private readonly script: (
      instanceId: string,
      script: string,
      options: RunOptions,
    ) => Promise<RunResult> | RunResult = () => ({
      exitCode: 0,
      stdout: '',
      stderr: '',
      timedOut: false,
    }),
  ) {}

  async boot({ instanceId }: MachineToBoot): Promise<void> {
    this.booted.add(instanceId);
  }

  async shutDown(instanceId: string): Promise<void> {
    this.booted.delete(instanceId);
  }

  async run(instanceId: string, script: string, options: RunOptions): Promise<RunResult> {
    return this.script(instanceId, script, options);
  }

  isBooted(instanceId: string): boolean {
    return this.booted.has(instanceId);
  }

  async consoleOutput(): Promise<string> {
    return '';
  }

  onPowerOff(listener: (instanceId: string) => void): void {
    this.listeners.push(listener);
  }

  /** As if somebody had typed `poweroff` inside. */
  powerOff(instanceId: string): void {
    this.booted.delete(instanceId);
    for (const listener of this.listeners) listener(instanceId);
  }

  async close(): Promise<void> {
    this.booted.clear();
  }
}
