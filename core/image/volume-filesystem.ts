import type { BlockDevice, BlockReader } from '../block-device/block-device';

/** What one partition, or a whole volume without a partition table, holds. */
export interface VolumeFilesystem {
  readonly volumeId: string;
  readonly deviceName: string;
  /** True when it stands on the instance's root volume. */
  readonly onRootVolume: boolean;
  readonly partition: number | undefined;
  readonly partUuid: string | undefined;
  readonly partLabel: string | undefined;
  /** As detectFilesystem names it. */
  readonly kind: string;
  readonly uuid: string | undefined;
  readonly label: string | undefined;
  readonly device: BlockReader | BlockDevice;
}

/** For messages: `vol-1 (/dev/xvda) partition 2`. */
export function placeOf({ volumeId, deviceName, partition }: VolumeFilesystem): string {
  return `${volumeId} (${deviceName})${partition === undefined ? '' : ` partition ${partition}`}`;
}
