import type { WritableMount } from '../apply/apply-engine';
import type { BlockDevice, BlockReader } from '../block-device/block-device';
import type { FilesystemReader } from '../filesystem/filesystem';
import type { IdentityValues } from './identity-values';
import type { OsIdentity } from './os-identity';

/** One volume of an instance, as its snapshot or its overlay is read. */
export interface ImageVolume<D extends BlockReader = BlockReader> {
  readonly volumeId: string;
  /** The device name of the EC2 block device mapping: `/dev/xvda`, `/dev/sdf`. */
  readonly deviceName: string;
  readonly isRoot: boolean;
  readonly device: D;
}

/** A filesystem of the image and where it is mounted. */
export interface ImageMount {
  readonly mountPoint: string;
  /** The volumes on which the filesystem stands: several for a logical volume that is spread over them. */
  readonly volumeIds: readonly string[];
  /** Number of the partition; undefined when the filesystem takes the whole volume, or a logical volume. */
  readonly partition: number | undefined;
  /** Of that partition, where the volume has a table of them. */
  readonly partUuid?: string;
  readonly kind: string;
  readonly filesystem: FilesystemReader;
}

/** A line of fstab that is not part of the image, and why that is no harm. */
export interface IgnoredMount {
  readonly mountPoint: string;
  readonly source: string;
  readonly reason: string;
}

/**
 * The filesystems of one instance as one namespace, the way they are mounted when it runs. What a mount point hides is
 * out of reach here too. Inode numbers are unique in one mount only: compare `mountOf` before comparing inodes.
 */
export interface Image extends FilesystemReader {
  /** The root first, then in the order in which they are mounted. */
  readonly mounts: readonly ImageMount[];
  readonly ignoredMounts: readonly IgnoredMount[];
  readonly os: OsIdentity;
  readonly identity: IdentityValues;
  /** The mount that holds this path. */
  mountOf(path: string): ImageMount;
  /** Ends what reading through the kernel holds; nothing can be read from such mounts afterwards. May be called twice. */
  close(): Promise<void>;
}

/** An image whose filesystems can be written by an ApplyEngine. Reads see what was written. */
export interface WritableImage extends Image {
  readonly writableMounts: readonly WritableMount[];
  /**
   * The same volumes opened anew: for reads after something else than the image's own writers wrote to the devices.
   * Closes this image first.
   */
  reopen(): Promise<WritableImage>;
}

export type WritableVolume = ImageVolume<BlockDevice>;
