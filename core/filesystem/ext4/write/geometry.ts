import { hasSuperblockCopy } from '../descriptor-location';
import { Incompat } from '../features';
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

/** Blocks at the start of a group that hold the superblock copy, descriptors and their reserve. */
export function superblockCopyBlocks(superblock: Superblock, group: number): number {
  const { blockSize, descriptorSize, groupCount, firstMetaBlockGroup, reservedGdtBlocks } = superblock;
  const perBlock = blockSize / descriptorSize;
  const hasMetaGroups = (superblock.featureIncompat & Incompat.meta_bg) !== 0;
  const copy = hasSuperblockCopy(superblock, group) ? 1 : 0;
  if (!hasMetaGroups || group < firstMetaBlockGroup * perBlock) {
    const tableBlocks = hasMetaGroups ? firstMetaBlockGroup : Math.ceil(groupCount / perBlock);
    return copy * (1 + tableBlocks + reservedGdtBlocks);
  }
  // One block of descriptors stands in the first, second and last of the groups that it describes.
  const within = group % perBlock;
  return copy + (within === 0 || within === 1 || within === perBlock - 1 ? 1 : 0);
}

/** First and one past the last group whose bitmaps and tables may stand together (flex_bg). */
export function flexGroupRange(superblock: Superblock, group: number): [first: number, end: number] {
  const first = group - (group % superblock.groupsPerFlex);
  return [first, Math.min(first + superblock.groupsPerFlex, superblock.groupCount)];
}
