import { BlockMemory } from '../../core/block-device/block-memory';
import { OverlayBlockDevice } from '../../core/block-device/overlay-block-device';
import { type Image, type ImageVolume } from '../../core/image/image';
import { openImage } from '../../core/image/open-image';
import type { VolumeSnapshot } from '../../core/workflow/documents';
import { SnapshotReader } from '../ebs/snapshot-reader';
import type { UsageMeter } from '../ebs/usage-meter';
import type { Services } from '../services';

/** One volume of a machine as its snapshot is, with changes kept in memory. */
export type OverlaidVolume = ImageVolume<OverlayBlockDevice> & { readonly snapshot: VolumeSnapshot };

function openReaders(
  { ebs, pause }: Services,
  snapshots: readonly VolumeSnapshot[],
  meter: UsageMeter,
): Promise<ImageVolume[]> {
  const memory = new BlockMemory();
  return Promise.all(
    snapshots.map(async ({ volumeId, deviceName, isRoot, snapshotId }) => ({
      volumeId,
      deviceName,
      isRoot,
      device: await SnapshotReader.open(ebs, snapshotId, { meter, pause, memory }),
    })),
  );
}

/**
 * Lends the image that these snapshots hold. Opening it costs a listing and the few blocks that say what is where.
 * Closed in any case: a filesystem that is read through the kernel holds an emulated machine.
 */
export async function withImage<T>(
  services: Services,
  snapshots: readonly VolumeSnapshot[],
  meter: UsageMeter,
  use: (image: Image, volumes: readonly ImageVolume[]) => Promise<T>,
): Promise<T> {
  const { kernel } = services;
  const volumes = await openReaders(services, snapshots, meter);
  const image = await openImage(volumes, { kernel });
  try {
    return await use(image, volumes);
  } finally {
    await image.close();
  }
}

export async function openOverlays(
  services: Services,
  snapshots: readonly VolumeSnapshot[],
  meter: UsageMeter,
): Promise<OverlaidVolume[]> {
  const volumes = await openReaders(services, snapshots, meter);
  return volumes.map((volume, at) => ({
    ...volume,
    device: new OverlayBlockDevice(volume.device),
    snapshot: snapshots[at]!,
  }));
}
