import { UnsupportedFilesystemError } from '../filesystem/errors';
import type { KernelMount, LinuxKernel } from '../filesystem/linux-kernel';
import type { ApplyEngine, EngineResult, ResolvedOperation, WritableMount } from './apply-engine';

/** Has Linux's own drivers perform the operations: for every filesystem that the kernel writes. */
export class KernelEngine implements ApplyEngine {
  readonly name = 'kernel';

  constructor(private readonly kernel: LinuxKernel) {}

  perform(
    mounts: readonly WritableMount[],
    operations: AsyncIterable<ResolvedOperation>,
  ): Promise<EngineResult> {
    return this.kernel.perform(mounts.map(kernelMount), operations);
  }
}

export function kernelMount({ mountPoint, kind, device, subvolume }: WritableMount): KernelMount {
  if (device === undefined) throw new UnsupportedFilesystemError(kind, mountPoint);
  return { mountPoint, kind, device, ...(subvolume === undefined ? {} : { subvolume }) };
}
