import type { EngineResult, ResolvedOperation } from '../core/apply/apply-engine';
import type { BlockDevice } from '../core/block-device/block-device';
import type {
  KernelFilesystem,
  KernelMount,
  KernelReading,
  LinuxKernel,
} from '../core/filesystem/linux-kernel';
import { readFilesystemTags } from '../core/image/filesystem-tags';
import { KernelEngineError } from './errors';
import { guestOperation } from './guest-operations';
import { GuestFailure, Machine, shown } from './machine';
import { findMachineFiles, type MachineFiles } from './machine-files';
import type { ReaderFacts } from './kernel-reader';
import { KernelSession } from './kernel-session';
import { operationError } from './operation-errors';
import { DEFAULT_MEMORY_MB, findSavedState } from './saved-state';
import { SharedDisks } from './shared-disks';

export interface EmulatedKernelOptions {
  /** What `npm run kernel-engine` makes: `guest/`, `state/`, and `qemu/` where QEMU is brought along. */
  readonly directory: string;
  /** Program to run; that of the directory or of the host when left out. */
  readonly qemu?: string;
  /** Memory of the emulated machine. */
  readonly memoryMb?: number;
  /** Time for one whole call; a reading has it for each of its questions. */
  readonly timeoutMs?: number;
  /** For sockets; the only place that is written. */
  readonly temporaryFolder?: string;
  /** What the machine may write to all devices together; it is kept in memory until the call has succeeded. */
  readonly maxWrittenBytes?: number;
}

const MAX_FINDINGS = 200;
const DEFAULT_TIMEOUT_MS = 600_000;
const DEFAULT_MAX_WRITTEN_BYTES = 1024 * 1024 * 1024;

/** Linux's own drivers in an emulated machine: QEMU without root, KVM or mounts. One machine a call. */
export class EmulatedKernel implements LinuxKernel {
  private readonly machine: {
    readonly memoryMb: number;
    readonly timeoutMs: number;
    readonly temporaryFolder?: string;
    readonly state?: string;
  };
  private readonly maxWrittenBytes: number;

  private constructor(
    private readonly files: MachineFiles,
    state: string | undefined,
    {
      memoryMb = DEFAULT_MEMORY_MB,
      timeoutMs = DEFAULT_TIMEOUT_MS,
      temporaryFolder,
      maxWrittenBytes = DEFAULT_MAX_WRITTEN_BYTES,
    }: EmulatedKernelOptions,
  ) {
    this.machine = { memoryMb, timeoutMs, temporaryFolder, state };
    this.maxWrittenBytes = maxWrittenBytes;
  }

  /** @throws KernelEngineMissingError naming what to install or to build */
  static async open(options: EmulatedKernelOptions): Promise<EmulatedKernel> {
    const { directory, memoryMb = DEFAULT_MEMORY_MB } = options;
    const files = await findMachineFiles(directory, options.qemu);
    return new EmulatedKernel(files, await findSavedState(directory, files, memoryMb), options);
  }

  async recover(filesystems: readonly KernelFilesystem<BlockDevice>[]): Promise<void> {
    await this.writing(filesystems, async () => undefined);
  }

  async perform(
    mounts: readonly KernelMount[],
    operations: AsyncIterable<ResolvedOperation>,
  ): Promise<EngineResult> {
    return this.writing(mounts, async (machine) => {
      const result = { operations: 0, contentBytes: 0 };
      const sent: ResolvedOperation[] = [];
      // Answered while operations are still being sent only when one of them failed.
      const answer = machine.ask({ do: 'perform' });
      let failed = false;
      answer.catch(() => {
        failed = true;
        // It reads no more: what is being sent would wait for ever.
        void machine.close();
      });
      for await (const operation of operations) {
        if (failed) break;
        const { message, content } = guestOperation(operation, mounts);
        sent.push(withoutContent(operation));
        await machine.send(message, content);
        if (operation.kind !== 'set-time') result.operations += 1;
        if (operation.kind === 'put-file') result.contentBytes += operation.content.length;
      }
      if (!failed) await machine.send({ end: true });
      try {
        await answer;
      } catch (error) {
        const index = error instanceof GuestFailure ? error.facts.index : undefined;
        const operation = typeof index === 'number' ? sent[index] : undefined;
        throw operation === undefined ? error : operationError(operation, error as GuestFailure);
      }
      return result;
    });
  }

  async read(filesystems: readonly KernelFilesystem[]): Promise<KernelReading> {
    const disks = SharedDisks.readOnly(filesystems);
    const facts = await Promise.all(filesystems.map(readerFacts));
    const machine = await Machine.start(this.files, disks.disks, this.machine);
    try {
      await machine.ask({ do: 'mount', writable: false, mounts: mountRequests(disks, filesystems) });
      return new KernelSession(machine, facts, (error) => explained(error, machine));
    } catch (error) {
      await machine.close();
      throw explained(error, machine);
    }
  }

  async verify(filesystems: readonly KernelFilesystem[]): Promise<readonly string[]> {
    const disks = SharedDisks.readOnly(filesystems);
    const mounts = mountRequests(disks, filesystems);
    return this.running(disks, async (machine) => {
      await machine.ask({ do: 'mount', writable: false, mounts });
      await machine.ask({ do: 'unmount' });
      const { fields } = await machine.ask({ do: 'check', mounts });
      if (!Array.isArray(fields.findings)) throw new KernelEngineError('it does not say what it found');
      return fields.findings.slice(0, MAX_FINDINGS).map(shown);
    });
  }

  /** Mounts for writing, does the work, unmounts; and only then lets the devices have what was written. */
  private async writing<T>(
    filesystems: readonly KernelFilesystem<BlockDevice>[],
    work: (machine: Machine) => Promise<T>,
  ): Promise<T> {
    const disks = SharedDisks.writable(filesystems, this.maxWrittenBytes);
    const result = await this.running(disks, async (machine) => {
      await machine.ask({ do: 'mount', writable: true, mounts: mountRequests(disks, filesystems) });
      const done = await work(machine);
      await machine.ask({ do: 'unmount' });
      return done;
    });
    await disks.merge();
    return result;
  }

  /** Runs a machine for as long as the work takes. @throws KernelEngineError, and what the work throws */
  private async running<T>(disks: SharedDisks, work: (machine: Machine) => Promise<T>): Promise<T> {
    await using machine = await Machine.start(this.files, disks.disks, this.machine);
    try {
      return await work(machine);
    } catch (error) {
      throw explained(error, machine);
    }
  }
}

/** What a reader says of itself, read here: the guest need not be asked. */
async function readerFacts({ kind, device }: KernelFilesystem): Promise<ReaderFacts> {
  const { uuid = '', label = '' } = await readFilesystemTags(device, kind);
  return { kind, uuid, label, sizeBytes: device.sizeBytes };
}

function mountRequests(disks: SharedDisks, filesystems: readonly KernelFilesystem[]): object[] {
  return filesystems.map((filesystem) => ({
    disk: disks.nameOf(filesystem),
    kind: filesystem.kind,
    subvolume: filesystem.subvolume,
  }));
}

/** The operation as an error names it: contents need not be kept for that. */
function withoutContent(operation: ResolvedOperation): ResolvedOperation {
  return operation.kind === 'put-file' ? { ...operation, content: new Uint8Array() } : operation;
}

/** A disk that failed is the reason for whatever the guest then complained about. */
function explained(error: unknown, machine: Machine): unknown {
  const { diskFailure } = machine;
  if (diskFailure !== undefined) {
    const problem = diskFailure instanceof Error ? diskFailure.message : String(diskFailure);
    return new KernelEngineError(`a disk failed: ${problem}`, '', {}, { cause: diskFailure });
  }
  if (error instanceof GuestFailure) {
    const kernel = Array.isArray(error.facts.kernel) ? error.facts.kernel.slice(0, 20).map(shown) : [];
    return new KernelEngineError(`${error.what}: ${error.detail}`, kernel.join('\n'), {}, { cause: error });
  }
  // An error of ours, or of the operations themselves: it says what it has to.
  return error;
}
