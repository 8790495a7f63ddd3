import { BlockWindow } from '../block-device/block-window';
import { detectFilesystem } from '../partition/detect-filesystem';
import { readPartitionTable, type Partition } from '../partition/partition-table';
import { readBtrfsSuperblock } from '../filesystem/btrfs/superblock';
import { readFilesystemTags } from './filesystem-tags';
import type { ImageVolume } from './image';
import { withLogicalVolumes } from './logical-volumes';
import type { VolumeFilesystem } from './volume-filesystem';

/** Type byte of an MBR partition that only holds others: they are listed themselves. */
const EXTENDED_TYPES: ReadonlySet<number> = new Set([0x05, 0x0f, 0x85]);

/**
 * What the partitions and logical volumes of these volumes hold, and the volumes that have none. Only the heads are
 * read.
 *
 * @throws PartitionTableError
 */
export async function listFilesystems(
  volumes: readonly ImageVolume[],
): Promise<{ filesystems: VolumeFilesystem[]; diskUuids: string[] }> {
  const perVolume = await Promise.all(volumes.map(listVolume));
  return {
    filesystems: await withLogicalVolumes(perVolume.flatMap(({ filesystems }) => filesystems)),
    diskUuids: perVolume.flatMap(({ diskUuid }) => diskUuid ?? []),
  };
}

async function listVolume(
  volume: ImageVolume,
): Promise<{ filesystems: VolumeFilesystem[]; diskUuid: string | undefined }> {
  const { partitions, diskUuid } = await readPartitionTable(volume.device);
  if (partitions.length === 0) return { filesystems: [await probe(volume, undefined)], diskUuid };
  const filesystems = await Promise.all(
    partitions
      .filter(({ typeByte }) => typeByte === undefined || !EXTENDED_TYPES.has(typeByte))
      .map((partition) => probe(volume, partition)),
  );
  return { filesystems, diskUuid };
}

async function probe(volume: ImageVolume, partition: Partition | undefined): Promise<VolumeFilesystem> {
  const device = partition
    ? new BlockWindow(volume.device, partition.offsetBytes, partition.sizeBytes)
    : volume.device;
  const kind = await detectFilesystem(device);
  return {
    volumeId: volume.volumeId,
    volumeIds: [volume.volumeId],
    deviceName: volume.deviceName,
    onRootVolume: volume.isRoot,
    partition: partition?.number,
    partUuid: partition?.partUuid,
    partLabel: partition?.name,
    kind,
    ...(await readFilesystemTags(device, kind)),
    ...(kind === 'btrfs' && {
      hasDefaultSubvolume: (await readBtrfsSuperblock(device)).hasDefaultSubvolume,
    }),
    device,
  };
}
