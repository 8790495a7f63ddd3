import { NoSpaceError } from '../../write-errors';
import { descriptorOffsetBytes } from '../descriptor-location';
import { type BitRun, clearRuns, nextSetBit } from './bitmap';
import { flexGroupRange, groupOfBlock } from './geometry';
import type { GroupEdit } from './group-edit';
import type { VolumeEdit } from './volume-edit';

/** Blocks that lie together on the disk. */
export interface BlockRun {
  readonly start: number;
  readonly count: number;
}

/** Open areas looked at for one allocation, and how many more once one was found that costs nothing. */
const MOST_OPEN_AREAS = 128;
const MOST_OPEN_AREAS_AFTER_FIT = 8;
/** Bitmaps looked at for one allocation: a bound on time, and on blocks fetched, on a full disk. */
const MOST_BITMAPS = 64;

/**
 * Takes `count` free blocks where they make the fewest snapshot blocks dirty: free blocks in areas that are dirty
 * already, else whole free areas, which the next files then fill up. In one run whenever there is one.
 *
 * @param goalGroup group near which to look when nothing has been written yet
 * @throws NoSpaceError
 */
export function allocateBlocks(volume: VolumeEdit, count: number, goalGroup: number): BlockRun[] {
  const free = volume.freeBlocks;
  if (count > free) {
    throw new NoSpaceError('blocks', count, free);
  }
  const goal = volume.dataGroup ?? volume.session.dataGroup ?? goalGroup;
  const whole = findRun(volume, count, goal);
  const runs = whole === undefined ? findPieces(volume, count, goal) : [whole];
  for (const run of runs) {
    const group = volume.group(groupOfBlock(volume.superblock, run.start));
    group.takeBlocks(run.start - group.firstBlock, run.count);
    volume.dataGroup = group.number;
  }
  return runs;
}

/** @throws CorruptFilesystemError when not all of the blocks are in use by files */
export function freeRun(volume: VolumeEdit, run: BlockRun): void {
  for (const { group, first, count } of splitByGroup(volume, run)) {
    group.freeBlocks(first, count);
  }
  for (let area = volume.areaOf(run.start); area <= volume.areaOf(run.start + run.count - 1); area += 1) {
    volume.reopenArea(area);
  }
}

/** The parts of a run that lie in one group each, counted within the group. */
export function* splitByGroup(
  volume: VolumeEdit,
  run: BlockRun,
): Generator<{ group: GroupEdit; first: number; count: number }> {
  const end = run.start + run.count;
  for (let block = run.start; block < end;) {
    const group = volume.group(groupOfBlock(volume.superblock, block));
    const first = block - group.firstBlock;
    const count = Math.min(end - block, group.blockCount - first);
    yield { group, first, count };
    block += count;
  }
}

function findRun(volume: VolumeEdit, count: number, goalGroup: number): BlockRun | undefined {
  const open = runInOpenAreas(volume, count);
  if (open !== undefined && open.cost <= Math.ceil(count / volume.areaBlocks)) {
    return open.run;
  }
  return runInFreshAreas(volume, count, goalGroup) ?? open?.run;
}

/** The cheapest whole run that begins in a dirty area; among equals the one that leaves the least over. */
function runInOpenAreas(volume: VolumeEdit, count: number): { run: BlockRun; cost: number } | undefined {
  let best: { run: BlockRun; cost: number; left: number } | undefined;
  let most = MOST_OPEN_AREAS;
  for (const area of volume.openAreas()) {
    if (most === 0 || best?.left === 0) {
      break;
    }
    most -= 1;
    let hasFree = false;
    for (const { group, start, length } of freeRunsOfArea(volume, area)) {
      hasFree = true;
      const reach = reachOf(group, start, length, count);
      if (reach < count) {
        continue;
      }
      const run = { start: group.firstBlock + start, count };
      const cost = costOf(volume, group, run);
      const left = length >= count ? length - count : 0;
      if (best === undefined || cost < best.cost || (cost === best.cost && left < best.left)) {
        best = { run, cost, left };
      }
    }
    if (!hasFree) {
      volume.closeArea(area);
    }
    if (best?.cost === 0) {
      most = Math.min(most, MOST_OPEN_AREAS_AFTER_FIT);
    }
  }
  return best;
}

/** How far, at most `count`, a free run goes on behind the end of its area. */
function reachOf(group: GroupEdit, start: number, length: number, count: number): number {
  if (length >= count) {
    return count;
  }
  return nextSetBit(group.blockBitmap(), start + length, Math.min(start + count, group.blockCount)) - start;
}

function* freeRunsOfArea(
  volume: VolumeEdit,
  area: number,
): Generator<{ group: GroupEdit; start: number; length: number }> {
  const { superblock } = volume;
  const start = Math.max(volume.firstBlockOfArea(area), superblock.firstDataBlock);
  const end = Math.min(volume.firstBlockOfArea(area + 1), superblock.blocksCount);
  for (const { group, first, count } of splitByGroup(volume, { start, count: Math.max(0, end - start) })) {
    if (group.descriptor.freeBlocksCount > 0) {
      for (const run of clearRuns(group.blockBitmap(), first, first + count)) {
        yield { group, ...run };
      }
    }
  }
}

/** The first run of whole free areas that is long enough; else the first run that is. */
function runInFreshAreas(volume: VolumeEdit, count: number, goalGroup: number): BlockRun | undefined {
  let fitting: BlockRun | undefined;
  let looked = 0;
  for (const number of groupsFrom(volume, goalGroup)) {
    const group = volume.group(number);
    if (group.descriptor.freeBlocksCount < count) {
      continue;
    }
    if (looked === MOST_BITMAPS) {
      break;
    }
    looked += 1;
    for (const run of clearRuns(group.blockBitmap(), 0, group.blockCount)) {
      const aligned = alignedPart(volume, group, run);
      if (aligned.length >= Math.max(count, volume.areaBlocks)) {
        return { start: group.firstBlock + aligned.start, count };
      }
      if (run.length >= count) {
        fitting ??= { start: group.firstBlock + run.start, count };
      }
    }
  }
  return fitting;
}

/** Enough runs together where no single one is: the longest of the nearest groups that have as many free blocks. */
function findPieces(volume: VolumeEdit, count: number, goalGroup: number): BlockRun[] {
  const found: BlockRun[] = [];
  let total = 0;
  for (const number of groupsFrom(volume, goalGroup)) {
    const group = volume.group(number);
    if (group.descriptor.freeBlocksCount === 0) {
      continue;
    }
    for (const { start, length } of clearRuns(group.blockBitmap(), 0, group.blockCount)) {
      found.push({ start: group.firstBlock + start, count: length });
      total += length;
    }
    if (total >= count) {
      break;
    }
  }
  const pieces: BlockRun[] = [];
  let left = count;
  for (const run of found.sort((a, b) => b.count - a.count)) {
    if (left === 0) {
      break;
    }
    pieces.push({ start: run.start, count: Math.min(run.count, left) });
    left -= Math.min(run.count, left);
  }
  if (left > 0) {
    throw new NoSpaceError('blocks', count, count - left);
  }
  // In the order of the disk: fewer, longer reads for whoever reads the file.
  return pieces.sort((a, b) => a.start - b.start);
}

/** The part of a free run from the first border of an area on. */
function alignedPart(volume: VolumeEdit, group: GroupEdit, run: BitRun): BitRun {
  const first = group.firstBlock + run.start;
  const area = volume.areaOf(first);
  const border = volume.firstBlockOfArea(area) === first ? first : volume.firstBlockOfArea(area + 1);
  const skipped = border - first;
  return { start: run.start + skipped, length: Math.max(0, run.length - skipped) };
}

/** How many clean areas would become dirty: of the data, of the bitmap and of the descriptor. */
function costOf(volume: VolumeEdit, group: GroupEdit, run: BlockRun): number {
  let cost = volume.isDirty(volume.areaOf(group.descriptor.blockBitmap)) ? 0 : 1;
  const descriptorBytes = descriptorOffsetBytes(volume.superblock, group.number);
  cost += volume.isDirty(volume.areaOfByte(descriptorBytes)) ? 0 : 1;
  for (let area = volume.areaOf(run.start); area <= volume.areaOf(run.start + run.count - 1); area += 1) {
    cost += volume.isDirty(area) ? 0 : 1;
  }
  return cost;
}

/** Every group: those whose bitmaps stand beside the goal's first, then on to the end and around. */
export function* groupsFrom(volume: VolumeEdit, goal: number): Generator<number> {
  const { groupCount } = volume.superblock;
  const [first, end] = flexGroupRange(volume.superblock, goal);
  for (let number = goal; number < end; number += 1) {
    yield number;
  }
  for (let number = first; number < goal; number += 1) {
    yield number;
  }
  for (let number = end; number < groupCount; number += 1) {
    yield number;
  }
  for (let number = 0; number < first; number += 1) {
    yield number;
  }
}
