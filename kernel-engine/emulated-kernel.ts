import { access } from 'node:fs/promises';
import { join } from 'node:path';
import type { BlockDevice } from '../core/block-device/block-device';
import type { EngineResult, ResolvedOperation } from '../core/apply/apply-engine';
import type {
  KernelFilesystem,
  KernelMount,
  KernelReading,
  LinuxKernel,
} from '../core/filesystem/linux-kernel';
import { KernelEngineError, KernelEngineMissingError } from './errors';

export interface EmulatedKernelOptions {
  /** Holds `guest/vmlinuz` and `guest/initramfs`, and `qemu/` where QEMU is brought along. */
  readonly directory: string;
  /** Program to run; `qemu-system-x86_64` of the directory or of the host when left out. */
  readonly qemu?: string;
  readonly memoryMb?: number;
  /** Time for one whole call. */
  readonly timeoutMs?: number;
  /** For sockets; the only place that is written. */
  readonly temporaryFolder?: string;
}

/** Linux's own drivers in an emulated machine: QEMU without root, KVM or mounts. One machine a call. */
export class EmulatedKernel implements LinuxKernel {
  private constructor(private readonly options: EmulatedKernelOptions) {}

  /** @throws KernelEngineMissingError */
  static async open(options: EmulatedKernelOptions): Promise<EmulatedKernel> {
    for (const file of ['vmlinuz', 'initramfs']) {
      const path = join(options.directory, 'guest', file);
      await access(path).catch((cause: unknown) => {
        throw new KernelEngineMissingError(`there is no ${path}`, 'Build it: npm run kernel-engine', {
          cause,
        });
      });
    }
    return new EmulatedKernel(options);
  }

  async recover(_filesystems: readonly KernelFilesystem<BlockDevice>[]): Promise<void> {
    throw new KernelEngineError(`no machine in ${this.options.directory} yet`);
  }

  async read(_filesystems: readonly KernelFilesystem[]): Promise<KernelReading> {
    throw new KernelEngineError(`no machine in ${this.options.directory} yet`);
  }

  async perform(
    _mounts: readonly KernelMount[],
    _operations: AsyncIterable<ResolvedOperation>,
  ): Promise<EngineResult> {
    throw new KernelEngineError(`no machine in ${this.options.directory} yet`);
  }

  async verify(_filesystems: readonly KernelFilesystem[]): Promise<readonly string[]> {
    throw new KernelEngineError(`no machine in ${this.options.directory} yet`);
  }
}
