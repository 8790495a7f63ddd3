import { Incompat } from './features';
import type { VolumeReader } from './volume-reader';

/** The kernel keeps a fiftieth of the clusters, at most so many, for extent trees that grow (ext4_calculate_resv_clusters). */
const MAX_KERNEL_RESERVE_CLUSTERS = 4096;

/** Blocks that an ordinary user's files may take: f_bavail of statfs(2), in filesystem blocks. */
export function freeBlocksForFiles(volume: VolumeReader): number {
  const { superblock } = volume;
  const blocksPerCluster = superblock.clusterSize / superblock.blockSize;
  let freeClusters = 0;
  for (let group = 0; group < superblock.groupCount; group++)
    freeClusters += volume.descriptor(group).freeBlocksCount;
  const hasExtents = (superblock.featureIncompat & Incompat.extent) !== 0;
  const clusters = Math.floor(superblock.blocksCount / blocksPerCluster);
  const kernelReserve = hasExtents ? Math.min(Math.floor(clusters / 50), MAX_KERNEL_RESERVE_CLUSTERS) : 0;
  const reserved = superblock.reservedBlocksCount + kernelReserve * blocksPerCluster;
  return Math.max(0, freeClusters * blocksPerCluster - reserved);
}
