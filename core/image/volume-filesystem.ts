import type { BlockDevice, BlockReader } from '../block-device/block-device';
import type { ImageElvesError } from '../errors';

/** What one partition, one logical volume, or a whole volume without a partition table, holds. */
export interface VolumeFilesystem {
  /** The volume it stands on; of a logical volume on several, the first. */
  readonly volumeId: string;
  /** All volumes that it stands on. */
  readonly volumeIds: readonly string[];
  readonly deviceName: string;
  /** True when it stands on the instance's root volume. */
  readonly onRootVolume: boolean;
  readonly partition: number | undefined;
  readonly partUuid: string | undefined;
  readonly partLabel: string | undefined;
  /** `group/name` when it stands on a logical volume. */
  readonly logicalVolume?: string;
  /** Paths below /dev that only this one has: `/dev/group/name`. */
  readonly deviceLinks?: readonly string[];
  /** As detectFilesystem names it. */
  readonly kind: string;
  readonly uuid: string | undefined;
  readonly label: string | undefined;
  /** btrfs only: a mount that names no subvolume may get another one than the top level. */
  readonly hasDefaultSubvolume?: boolean;
  readonly device: BlockReader | BlockDevice;
  /** Where a logical volume begins on its disk, when its bytes follow each other there. */
  readonly offsetBytes?: number;
  /** LVM physical volumes only: true when what stands on it is listed itself. */
  readonly isAssembled?: boolean;
  /** Why what is in it cannot be looked at, where its kind alone does not say so. */
  readonly refusal?: ImageElvesError;
}

/** For messages: `vol-1 (/dev/xvda) partition 2`. */
export function placeOf({ volumeId, deviceName, partition, logicalVolume }: VolumeFilesystem): string {
  if (logicalVolume !== undefined) return `${volumeId} (${deviceName}) logical volume ${logicalVolume}`;
  return `${volumeId} (${deviceName})${partition === undefined ? '' : ` partition ${partition}`}`;
}
