import type { ByteRange } from '../../block-device/block-device';
import { Compat, Incompat, RoCompat } from './features';
import { SUPERBLOCK_OFFSET_BYTES, type Superblock } from './superblock';

/**
 * Where a group's descriptor stands: in the table behind the superblock, or, with meta_bg, in the first group of the
 * groups whose descriptors fill one block.
 */
export function descriptorOffsetBytes(superblock: Superblock, group: number): number {
  const { blockSize, descriptorSize } = superblock;
  const perBlock = blockSize / descriptorSize;
  const tableBlock = Math.floor(group / perBlock);
  return descriptorBlock(superblock, tableBlock, perBlock) * blockSize + (group % perBlock) * descriptorSize;
}

/** All ranges of the volume that hold descriptors: what to fetch before anything else. */
export function descriptorRanges(superblock: Superblock): ByteRange[] {
  const { blockSize, descriptorSize, groupCount } = superblock;
  const perBlock = blockSize / descriptorSize;
  const ranges: ByteRange[] = [];
  for (let tableBlock = 0; tableBlock * perBlock < groupCount; tableBlock++) {
    const offsetBytes = descriptorBlock(superblock, tableBlock, perBlock) * blockSize;
    ranges.push({ offsetBytes, lengthBytes: blockSize });
  }
  return ranges;
}

function descriptorBlock(superblock: Superblock, tableBlock: number, perBlock: number): number {
  const superblockBlock = Math.floor(SUPERBLOCK_OFFSET_BYTES / superblock.blockSize);
  const isInTable =
    (superblock.featureIncompat & Incompat.meta_bg) === 0 || tableBlock < superblock.firstMetaBlockGroup;
  if (isInTable) return superblockBlock + 1 + tableBlock;
  const group = tableBlock * perBlock;
  const start = superblock.firstDataBlock + group * superblock.blocksPerGroup;
  // With bigalloc, 1 KiB blocks count from 0 but the first still holds the boot sector.
  const isShifted = group === 0 && superblock.blockSize === 1024 && superblock.firstDataBlock === 0;
  return start + (hasSuperblockCopy(superblock, group) ? 1 : 0) + (isShifted ? 1 : 0);
}

/** With sparse_super, copies of the superblock stand in groups 0, 1 and the powers of 3, 5 and 7. */
export function hasSuperblockCopy(superblock: Superblock, group: number): boolean {
  if (group === 0) return true;
  if (superblock.featureCompat & Compat.sparse_super2) return superblock.backupGroups.includes(group);
  if (group === 1 || (superblock.featureRoCompat & RoCompat.sparse_super) === 0) return true;
  return [3, 5, 7].some((base) => {
    let power = base;
    while (power < group) power *= base;
    return power === group;
  });
}
