import { RoCompat } from './features';
import { type GroupSpace, readGroupSpace } from './group-headers';
import { freeTreeBlocks, INODES_PER_CHUNK } from './inode-tree';
import type { Volume } from './volume';

/** The kernel lets nobody have the last blocks of a group: it needs them to free others (xfs_alloc_set_aside). */
const SET_ASIDE_PER_GROUP = 8;
/** It keeps a twentieth, at most so many, for itself (xfs_default_resblks). */
const MAX_RESERVE = 8192;
const TREE_HEADER_BYTES = 56;

/**
 * Blocks that a user's files may take: f_bavail of statfs(2). The kernel hides from users what the trees of each group may
 * still need to grow (fs/xfs/libxfs/xfs_ag_resv.c).
 */
export function freeBlocksForFiles(volume: Volume): number {
  const { superblock } = volume;
  let free = 0;
  const inFreeTrees = superblock.featureRoCompat & RoCompat.finobt ? freeTreeBlocks(volume) : [];
  for (const space of readGroupSpace(volume)) {
    free += space.free + space.listed - SET_ASIDE_PER_GROUP;
    // Counted as blocks of the free space trees, but taken from the reservation below.
    if (superblock.featureRoCompat & RoCompat.rmapbt) free += space.rmapBlocks - 1;
    free -= reservedBlocks(volume, space, inFreeTrees[space.group] ?? 0);
  }
  const reserve = Math.min(Math.floor(superblock.blocksCount / 20), MAX_RESERVE);
  return Math.max(0, free - reserve);
}

function reservedBlocks(volume: Volume, space: GroupSpace, inFreeTree: number): number {
  const { blockSize, inodeSize, featureRoCompat, logStart, logBlocks, groupBlockBits } = volume.superblock;
  const hasLog = Math.floor(logStart / 2 ** groupBlockBits) === space.group;
  // The log never moves: what it takes needs no entries in trees.
  const blocks = volume.groupLength(space.group) - (hasLog ? logBlocks : 0);
  const room = blockSize - TREE_HEADER_BYTES;
  let reserved = 0;
  if (featureRoCompat & RoCompat.reflink) {
    reserved += largestTree(blocks, room, 12, 8) - space.refcountBlocks;
  }
  if (featureRoCompat & RoCompat.finobt) {
    const chunks = Math.floor((blocks * (blockSize / inodeSize)) / INODES_PER_CHUNK);
    reserved += largestTree(chunks, room, 16, 8) - inFreeTree;
  }
  if (featureRoCompat & RoCompat.rmapbt) {
    reserved += Math.max(Math.floor(blocks / 100), largestTree(blocks, room, 24, 44));
  }
  return Math.max(0, reserved);
}

/** Blocks of a tree of so many records when every block is half full. */
function largestTree(records: number, room: number, recordBytes: number, entryBytes: number): number {
  let level = Math.ceil(records / Math.floor(Math.floor(room / recordBytes) / 2));
  let blocks = level;
  while (level > 1) {
    level = Math.ceil(level / Math.floor(Math.floor(room / entryBytes) / 2));
    blocks += level;
  }
  return blocks;
}
