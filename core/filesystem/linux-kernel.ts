import type { EngineResult, ResolvedOperation } from '../apply/apply-engine';
import type { BlockDevice, BlockReader } from '../block-device/block-device';
import type { FilesystemReader } from './filesystem';

/**
 * One filesystem as the kernel gets it: on a disk of its own, whatever partition or logical volume it stands in. Mounts
 * that name the same device object (subvolumes of one btrfs) share that disk.
 */
export interface KernelFilesystem<D extends BlockReader = BlockReader> {
  /** As mount(8) names it: `ext4`, `xfs`, `btrfs`, `vfat`. */
  readonly kind: string;
  readonly device: D;
  /** btrfs only: what is mounted, as `subvol=` takes it. Without it the top level (subvolid=5). */
  readonly subvolume?: string;
}

export interface KernelMount extends KernelFilesystem<BlockDevice> {
  readonly mountPoint: string;
}

/** Filesystems that are read through the kernel, until they are closed. */
export interface KernelReading {
  /** In the order asked for. */
  readonly filesystems: readonly FilesystemReader[];
  close(): Promise<void>;
}

/**
 * Linux's own filesystem drivers at the service of an image. Implemented by kernel-engine/ with an emulated machine; one
 * call starts one machine, however many filesystems it is given. What the machine writes reaches the devices only when
 * the whole call succeeded.
 */
export interface LinuxKernel {
  /**
   * Mounts each for writing and unmounts it, so that its log or journal is replayed into the device.
   * @throws KernelEngineError
   */
  recover(filesystems: readonly KernelFilesystem<BlockDevice>[]): Promise<void>;
  /** Mounts read-only, without replay of a log. @throws KernelEngineError */
  read(filesystems: readonly KernelFilesystem[]): Promise<KernelReading>;
  /**
   * Mounts at the mount points, performs the operations in order, unmounts.
   * @throws ApplyError naming the operation that failed, KernelEngineError for all else
   */
  perform(
    mounts: readonly KernelMount[],
    operations: AsyncIterable<ResolvedOperation>,
  ): Promise<EngineResult>;
  /**
   * Mounts read-only and runs the filesystem's own check (`e2fsck -fn`, `xfs_repair -n`, `btrfs check`).
   * @returns what is wrong, one line a finding; empty when all is well
   * @throws KernelEngineError when the check could not be made
   */
  verify(filesystems: readonly KernelFilesystem[]): Promise<readonly string[]>;
}
