import { SNAPSHOT_BLOCK_BYTES } from '../../../block-device/block-device';
import { NoSpaceError } from '../../write-errors';
import { INODE_UNINIT } from '../group-descriptor';
import { nextClearBit } from './bitmap';
import { groupsFrom } from './block-allocator';
import { groupOfInode } from './geometry';
import type { GroupEdit } from './group-edit';
import type { VolumeEdit } from './volume-edit';

/** Groups, besides the parent's, whose dirty table blocks are searched for a free inode. */
const MOST_TOUCHED_GROUPS = 8;

/**
 * Takes a free inode: in a part of an inode table that is dirty already, else near the parent directory.
 * @throws NoSpaceError
 */
export function allocateInode(volume: VolumeEdit, parent: number, isDirectory: boolean): number {
  const goal = groupOfInode(volume.superblock, parent);
  const [group, index] = findInode(volume, goal);
  group.takeInode(index, isDirectory);
  return group.number * volume.superblock.inodesPerGroup + index + 1;
}

export function freeInode(volume: VolumeEdit, number: number, isDirectory: boolean): void {
  const { inodesPerGroup } = volume.superblock;
  const group = volume.group(groupOfInode(volume.superblock, number));
  group.freeInode((number - 1) % inodesPerGroup, isDirectory);
}

function findInode(volume: VolumeEdit, goal: number): [GroupEdit, number] {
  const touched = [...volume.session.touchedGroups].slice(-MOST_TOUCHED_GROUPS);
  for (const number of new Set([goal, ...touched])) {
    const group = volume.group(number);
    const index = freeInDirtyTable(volume, group);
    if (index !== undefined) {
      return [group, index];
    }
  }
  for (const takesUnused of [false, true]) {
    for (const number of groupsFrom(volume, goal)) {
      const group = volume.group(number);
      const isUnused = (group.descriptor.flags & INODE_UNINIT) !== 0;
      if (group.descriptor.freeInodesCount === 0 || (isUnused && !takesUnused)) {
        continue;
      }
      const index = nextClearBit(
        group.inodeBitmap(),
        firstIndex(volume, group),
        volume.superblock.inodesPerGroup,
      );
      if (index < volume.superblock.inodesPerGroup) {
        return [group, index];
      }
    }
  }
  throw new NoSpaceError('inodes', 1, 0);
}

function freeInDirtyTable(volume: VolumeEdit, group: GroupEdit): number | undefined {
  const { blockSize, inodeSize } = volume.superblock;
  const { freeInodesCount, inodeTable, inodeBitmap, flags } = group.descriptor;
  if (freeInodesCount === 0 || flags & INODE_UNINIT || !volume.isDirty(volume.areaOf(inodeBitmap))) {
    return undefined;
  }
  const tableStart = inodeTable * blockSize + volume.session.areaShiftBytes;
  const end = group.usedTableInodes;
  const lastArea = Math.floor((tableStart + end * inodeSize - 1) / SNAPSHOT_BLOCK_BYTES);
  for (let area = Math.floor(tableStart / SNAPSHOT_BLOCK_BYTES); area <= lastArea; area += 1) {
    if (!volume.isDirty(area)) {
      continue;
    }
    const from = Math.ceil((area * SNAPSHOT_BLOCK_BYTES - tableStart) / inodeSize);
    const stop = Math.min(end, Math.floor(((area + 1) * SNAPSHOT_BLOCK_BYTES - tableStart) / inodeSize));
    const index = nextClearBit(group.inodeBitmap(), Math.max(from, firstIndex(volume, group)), stop);
    if (index < stop) {
      return index;
    }
  }
  return undefined;
}

/** The first inodes of the volume have fixed meanings. */
function firstIndex(volume: VolumeEdit, group: GroupEdit): number {
  const { firstInode, inodesPerGroup } = volume.superblock;
  return Math.max(0, firstInode - 1 - group.number * inodesPerGroup);
}
