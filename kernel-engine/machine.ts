import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BlockDevice, BlockReader } from '../core/block-device/block-device';
import { KernelEngineError } from './errors';
import { type GuestMessage, GuestPort } from './guest-port';
import type { MachineFiles } from './machine-files';
import type { NbdExport } from './nbd/nbd-export';
import { NbdServer } from './nbd/nbd-server';
import { DISK_PLACES, diskName, MAX_DISKS, qemuArguments } from './qemu-arguments';
import { QemuProcess } from './qemu-process';

/** A disk of the machine, in the order in which it finds them. */
export type MachineDisk =
  | { readonly access: 'read-write'; readonly device: BlockDevice }
  | { readonly access: 'read-only'; readonly device: BlockReader };

export interface MachineOptions {
  readonly memoryMb: number;
  /** From the start to the end, but for the time in which nothing is asked of it. */
  readonly timeoutMs: number;
  readonly temporaryFolder?: string;
  /** A state to start from; without it the kernel boots. */
  readonly state?: string;
  /** Socket for QEMU's own control; the state is then to be saved before anything is asked of the machine. */
  readonly controlPath?: string;
}

/** An emulated machine that runs the guest's agent. It is gone when this object is closed, or this process ends. */
export class Machine implements AsyncDisposable {
  private closed: Promise<void> | undefined;
  private timer: NodeJS.Timeout | undefined;

  private constructor(
    private readonly folder: string,
    private readonly disks: NbdServer,
    private readonly port: GuestPort,
    private readonly qemu: QemuProcess,
    private readonly timeoutMs: number,
  ) {
    void qemu.ended.then(({ status }) => {
      const problem = qemu.complaint === '' ? `it stopped (${status})` : `QEMU: ${qemu.complaint}`;
      port.fail(new KernelEngineError(problem, this.consoleTail));
    });
    this.watch();
  }

  /**
   * Resolves when the agent is ready. A machine that does not get that far is started once more, by its own boot: nothing
   * has been read or written yet. @throws KernelEngineError, KernelEngineMissingError
   */
  static async start(
    files: MachineFiles,
    disks: readonly MachineDisk[],
    options: MachineOptions,
  ): Promise<Machine> {
    if (disks.length > MAX_DISKS) {
      throw new KernelEngineError(
        `${disks.length} disks are more than the ${MAX_DISKS} that it has room for`,
      );
    }
    const state = disks.length <= DISK_PLACES ? options.state : undefined;
    try {
      return await Machine.startOnce(files, disks, { ...options, state });
    } catch (error) {
      // A state may be taken away while it is looked for: another guest has been built.
      const mayBoot = state !== undefined || error instanceof KernelEngineError;
      if (!mayBoot || (error instanceof KernelEngineError && error.facts.timeoutMs !== undefined))
        throw error;
      return await Machine.startOnce(files, disks, { ...options, state: undefined });
    }
  }

  private static async startOnce(
    files: MachineFiles,
    disks: readonly MachineDisk[],
    options: MachineOptions,
  ): Promise<Machine> {
    const { memoryMb, state, controlPath } = options;
    const folder = await mkdtemp(join(options.temporaryFolder ?? tmpdir(), 'machine-'));
    const undo: (() => Promise<unknown>)[] = [() => rm(folder, { recursive: true, force: true })];
    try {
      const exports = new Map<string, NbdExport>(disks.map((disk, index) => [diskName(index), disk]));
      const nbd = await NbdServer.listen({ socketPath: join(folder, 'disks'), exports });
      undo.unshift(() => nbd.close());
      const port = await GuestPort.listen(join(folder, 'port'));
      undo.unshift(() => port.close());
      const args = [
        ...files.qemu.args,
        ...qemuArguments({ ...files, memoryMb, folder, disks, incoming: state !== undefined }),
        ...(controlPath === undefined ? [] : ['-qmp', `unix:${controlPath}`]),
      ];
      const qemu = await QemuProcess.start(files.qemu.program, args, state);
      const machine = new Machine(folder, nbd, port, qemu, options.timeoutMs);
      undo.splice(0, Infinity, () => machine.close());
      await machine.begin(options);
      return machine;
    } catch (error) {
      for (const step of undo) await step();
      throw error;
    }
  }

  private async begin({ state, controlPath }: MachineOptions): Promise<void> {
    if (state === undefined) await this.expect('ready');
    else await this.port.connected();
    if (controlPath !== undefined) return;
    await this.ask({ do: 'begin', time: Date.now() / 1000, chance: randomBytes(32).toString('hex') });
  }

  /** Asks for one thing and waits for its answer. @throws GuestFailure, KernelEngineError */
  async ask(request: { readonly do: string } & Record<string, unknown>): Promise<GuestMessage> {
    this.watch();
    await this.port.send(request);
    return this.expect('did');
  }

  /** Sends what is not answered. */
  send(message: object, payload?: Uint8Array): Promise<void> {
    return this.port.send(message, payload);
  }

  /** The next message that has this field; others on the way are reports of progress. @throws GuestFailure when it reports one */
  async expect(field: 'ready' | 'did'): Promise<GuestMessage> {
    for (;;) {
      const message = await this.port.receive();
      if (message.fields.failed !== undefined) throw guestFailure(message.fields.failed);
      if (message.fields[field] !== undefined) return message;
    }
  }

  /** What the kernel printed last. */
  get consoleTail(): string {
    return this.qemu.console.toString();
  }

  /** The first request that a disk failed, if any did. */
  get diskFailure(): unknown {
    return this.disks.firstFailure?.cause;
  }

  /** Pulls the plug: all that matters has been unmounted. */
  close(): Promise<void> {
    return (this.closed ??= this.end());
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Nothing is asked of the machine for a while, and no time is counted. */
  rest(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
  }

  private watch(): void {
    this.timer ??= setTimeout(() => {
      const { timeoutMs } = this;
      const problem = `it did not finish within ${timeoutMs / 1000} s`;
      this.port.fail(new KernelEngineError(problem, this.consoleTail, { timeoutMs }));
      void this.qemu.kill();
    }, this.timeoutMs);
  }

  private async end(): Promise<void> {
    this.rest();
    this.port.fail(new KernelEngineError('it was closed'));
    await this.qemu.kill();
    await this.port.close();
    await this.disks.close();
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** Something that the guest's agent could not do, in its words. All of it may be made up by a hostile image. */
export class GuestFailure extends Error {
  override readonly name = 'GuestFailure';

  constructor(
    readonly what: string,
    readonly detail: string,
    readonly facts: Readonly<Record<string, unknown>>,
  ) {
    super(`${what}: ${detail}`);
  }
}

const MAX_DETAIL_CHARACTERS = 2000;

function guestFailure(reported: unknown): GuestFailure {
  const facts = typeof reported === 'object' && reported !== null ? reported : {};
  const { what, detail, ...others } = facts as Record<string, unknown>;
  return new GuestFailure(shown(what), shown(detail), others);
}

/** Text of the guest as it may stand in an error. */
export function shown(value: unknown): string {
  return String(typeof value === 'string' ? value : (JSON.stringify(value) ?? ''))
    .replaceAll(/[^\x20-\x7e]/g, '?')
    .slice(0, MAX_DETAIL_CHARACTERS);
}
