import { RoCompat } from '../features';
import type { Superblock } from '../superblock';

/** Where things stand on an ext4 volume that follow from the superblock alone. All numbers are filesystem blocks. */
export function groupOfBlock(superblock: Superblock, block: number): number {
  return Math.floor((block - superblock.firstDataBlock) / superblock.blocksPerGroup);
}

export function firstBlockOfGroup(superblock: Superblock, group: number): number {
  return superblock.firstDataBlock + group * superblock.blocksPerGroup;
}

/** The last group is often short. */
export function blocksInGroup(superblock: Superblock, group: number): number {
  return Math.min(superblock.blocksPerGroup, superblock.blocksCount - firstBlockOfGroup(superblock, group));
}

export function groupOfInode(superblock: Superblock, inode: number): number {
  return Math.floor((inode - 1) / superblock.inodesPerGroup);
}

function descriptorTableBlocks(superblock: Superblock): number {
  return Math.ceil((superblock.groupCount * superblock.descriptorSize) / superblock.blockSize);
}

/** With sparse_super, copies of the superblock stand in groups 0, 1 and the powers of 3, 5 and 7. */
export function hasSuperblockCopy(superblock: Superblock, group: number): boolean {
  if ((superblock.featureRoCompat & RoCompat.sparse_super) === 0 || group <= 1) {
    return true;
  }
  return [3, 5, 7].some((base) => {
    let power = base;
    while (power < group) {
      power *= base;
    }
    return power === group;
  });
}

/** Blocks at the start of a group that hold the superblock copy, the descriptor table and its reserve. */
export function superblockCopyBlocks(superblock: Superblock, group: number): number {
  return hasSuperblockCopy(superblock, group)
    ? 1 + descriptorTableBlocks(superblock) + superblock.reservedGdtBlocks
    : 0;
}

/** First and one past the last group whose bitmaps and tables may stand together (flex_bg). */
export function flexGroupRange(superblock: Superblock, group: number): [first: number, end: number] {
  const first = group - (group % superblock.groupsPerFlex);
  return [first, Math.min(first + superblock.groupsPerFlex, superblock.groupCount)];
}
