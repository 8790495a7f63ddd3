import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BlockDevice, BlockReader } from '../core/block-device/block-device';
import { KernelEngineError } from './errors';
import { type GuestMessage, GuestPort } from './guest-port';
import type { MachineFiles } from './machine-files';
import type { NbdExport } from './nbd/nbd-export';
import { NbdServer } from './nbd/nbd-server';
import { QemuProcess } from './qemu-process';

/** A disk of the machine, in the order in which it finds them. */
export type MachineDisk =
  | { readonly access: 'read-write'; readonly device: BlockDevice }
  | { readonly access: 'read-only'; readonly device: BlockReader };

export interface MachineOptions {
  readonly memoryMb: number;
  /** For the whole life of the machine. */
  readonly timeoutMs: number;
  readonly temporaryFolder?: string;
}

/** PCI has room for no more beside the port. */
export const MAX_DISKS = 24;

const KERNEL_PARAMETERS = [
  'console=ttyS0',
  'quiet',
  // What is not to be trusted is the disk: a kernel that stumbles over one stops at once.
  'oops=panic',
  'panic=-1',
  // There is nobody else in this machine to be protected from.
  'mitigations=off',
  'lsm=capability',
  'rdinit=/usr/bin/python3.13',
  // Python takes the rest: nothing of its environment, no site, no writing of compiled files.
  '--',
  '-I -S -E -B /agent/main.pyc',
].join(' ');

/** An emulated machine that runs the guest's agent. It is gone when this object is closed, or this process ends. */
export class Machine implements AsyncDisposable {
  private closed: Promise<void> | undefined;
  private timer: NodeJS.Timeout | undefined;

  private constructor(
    private readonly folder: string,
    private readonly disks: NbdServer,
    private readonly port: GuestPort,
    private readonly qemu: QemuProcess,
  ) {}

  /** Resolves when the agent is ready. @throws KernelEngineError, KernelEngineMissingError */
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
    const folder = await mkdtemp(join(options.temporaryFolder ?? tmpdir(), 'machine-'));
    const undo: (() => Promise<unknown>)[] = [() => rm(folder, { recursive: true, force: true })];
    try {
      const exports = new Map<string, NbdExport>(disks.map((disk, index) => [diskName(index), disk]));
      const nbd = await NbdServer.listen({ socketPath: join(folder, 'disks'), exports });
      undo.unshift(() => nbd.close());
      const port = await GuestPort.listen(join(folder, 'port'));
      undo.unshift(() => port.close());
      const qemu = await QemuProcess.start(files.qemu.program, [
        ...files.qemu.args,
        ...qemuArguments(files, disks, folder, options.memoryMb),
      ]);
      undo.unshift(() => qemu.kill());
      const machine = new Machine(folder, nbd, port, qemu);
      machine.watch(options.timeoutMs);
      await machine.expect('ready');
      return machine;
    } catch (error) {
      for (const step of undo) await step();
      throw error;
    }
  }

  /** Asks for one thing and waits for its answer. @throws GuestFailure, KernelEngineError */
  async ask(request: { readonly do: string } & Record<string, unknown>): Promise<GuestMessage> {
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

  private watch(timeoutMs: number): void {
    this.timer = setTimeout(() => {
      this.port.fail(
        new KernelEngineError(`it did not finish within ${timeoutMs / 1000} s`, this.consoleTail, {
          timeoutMs,
        }),
      );
      void this.qemu.kill();
    }, timeoutMs);
    void this.qemu.ended.then(({ status }) => {
      const problem = this.qemu.complaint === '' ? `it stopped (${status})` : `QEMU: ${this.qemu.complaint}`;
      this.port.fail(new KernelEngineError(problem, this.consoleTail));
    });
  }

  private async end(): Promise<void> {
    clearTimeout(this.timer);
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

export function diskName(index: number): string {
  return `disk${index}`;
}

/** Without root, KVM, a shared memory folder or a configuration of the host's. */
function qemuArguments(
  files: MachineFiles,
  disks: readonly MachineDisk[],
  folder: string,
  memoryMb: number,
): string[] {
  const args = [
    ...['-nodefaults', '-no-user-config', '-no-reboot', '-display', 'none', '-serial', 'stdio'],
    ...['-machine', 'pc', '-accel', 'tcg,thread=multi,tb-size=64', '-cpu', 'Nehalem,+rdrand'],
    ...['-smp', '1', '-m', String(memoryMb)],
    ...['-kernel', files.kernel, '-initrd', files.initramfs, '-append', KERNEL_PARAMETERS],
    ...['-device', 'virtio-serial-pci,max_ports=2', '-chardev', `socket,id=port,path=${folder}/port`],
    ...['-device', 'virtserialport,chardev=port'],
  ];
  for (const [index, { access }] of disks.entries()) {
    const name = diskName(index);
    const blockdev = {
      driver: 'nbd',
      'node-name': name,
      server: { type: 'unix', path: `${folder}/disks` },
      export: name,
      'read-only': access === 'read-only',
      // The server is memory of ours, and nothing counts before the guest has unmounted: there is nothing to flush.
      cache: { 'no-flush': true },
    };
    args.push('-blockdev', JSON.stringify(blockdev));
    args.push(
      '-device',
      `virtio-blk-pci,drive=${name},serial=${name},discard=off,write-zeroes=off,num-queues=1`,
    );
  }
  return args;
}
