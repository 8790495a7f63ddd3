import { NoSpaceError } from '../../write-errors';
import { descriptorOffsetBytes } from '../descriptor-location';
import { parseSuperblock, SUPERBLOCK_BYTES, SUPERBLOCK_OFFSET_BYTES } from '../superblock';
import { type BitRun, clearRuns, nextSetBit } from './bitmap';
import { flexGroupRange, groupOfBlock } from './geometry';
import type { GroupEdit } from './group-edit';
import type { VolumeEdit } from './volume-edit';

/** Blocks that lie together on the disk. */
export interface BlockRun {
  readonly start: number;
  readonly count: number;
}

/** Open areas and bitmaps looked at for one allocation: a bound on time, and on blocks fetched, on a full disk. */
const MOST_OPEN_AREAS = 128;
const MOST_BITMAPS = 64;

/**
 * Takes `count` free blocks where they make the fewest snapshot blocks dirty: free blocks in areas that are dirty
 * already, else whole free areas, which the next files then fill up. In one run whenever there is one.
 *
 * @param goalGroup group near which to look when nothing has been written yet
 * @throws NoSpaceError
 */
export function allocateBlocks(volume: VolumeEdit, count: number, goalGroup: number): BlockRun[] {
  const free = freeBlocks(volume);
  if (count > free) {
    throw new NoSpaceError('blocks', count, free);
  }
  const runs: BlockRun[] = [];
  for (let left = count; left > 0;) {
    const run = findRun(volume, left, volume.dataGroup ?? volume.session.dataGroup ?? goalGroup);
    if (run === undefined) {
      throw new NoSpaceError('blocks', count, count - left);
    }
    const group = volume.group(groupOfBlock(volume.superblock, run.start));
    group.takeBlocks(run.start - group.firstBlock, run.count);
    volume.dataGroup = group.number;
    runs.push(run);
    left -= run.count;
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

export function freeBlocks(volume: VolumeEdit): number {
  const bytes = volume.readBytes(SUPERBLOCK_OFFSET_BYTES, SUPERBLOCK_BYTES);
  return parseSuperblock(bytes).freeBlocksCount + volume.freeBlocksDelta;
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
  let looked = 0;
  for (const area of volume.openAreas()) {
    if (looked === MOST_OPEN_AREAS || best?.left === 0) {
      break;
    }
    looked += 1;
    let hasFree = false;
    for (const { group, start, length } of freeRunsOfArea(volume, area)) {
      hasFree = true;
      const bitmap = group.blockBitmap();
      const end = Math.min(start + count, group.blockCount);
      const reach = length >= count ? start + length : nextSetBit(bitmap, start + length, end);
      if (reach - start < count) {
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
  }
  return best;
}

function* freeRunsOfArea(
  volume: VolumeEdit,
  area: number,
): Generator<{ group: GroupEdit; start: number; length: number }> {
  const { superblock } = volume;
  const end = Math.min(volume.firstBlockOfArea(area + 1), superblock.blocksCount);
  let block = Math.max(volume.firstBlockOfArea(area), superblock.firstDataBlock);
  while (block < end) {
    const group = volume.group(groupOfBlock(superblock, block));
    const stop = Math.min(end, group.firstBlock + group.blockCount);
    if (group.descriptor.freeBlocksCount > 0) {
      for (const run of clearRuns(group.blockBitmap(), block - group.firstBlock, stop - group.firstBlock)) {
        yield { group, ...run };
      }
    }
    block = stop;
  }
}

/** The first run of whole free areas that is long enough; else a run that is long enough; else the longest run seen. */
function runInFreshAreas(volume: VolumeEdit, count: number, goalGroup: number): BlockRun | undefined {
  let looked = 0;
  let fitting: BlockRun | undefined;
  let longest: BlockRun | undefined;
  for (const number of groupsFrom(volume, goalGroup)) {
    const group = volume.group(number);
    if (group.descriptor.freeBlocksCount === 0) {
      continue;
    }
    if (looked === MOST_BITMAPS && longest !== undefined) {
      break;
    }
    looked += 1;
    for (const run of clearRuns(group.blockBitmap(), 0, group.blockCount)) {
      const aligned = alignedPart(volume, group, run);
      if (aligned.length >= Math.max(count, volume.areaBlocks)) {
        return { start: group.firstBlock + aligned.start, count };
      }
      const start = group.firstBlock + run.start;
      if (run.length >= count) {
        fitting ??= { start, count };
      } else if (longest === undefined || run.length > longest.count) {
        longest = { start, count: run.length };
      }
    }
  }
  return fitting ?? longest;
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
  const { superblock } = volume;
  const descriptorBlock = Math.floor(descriptorOffsetBytes(superblock, group.number) / superblock.blockSize);
  const areas = new Set([volume.areaOf(group.descriptor.blockBitmap), volume.areaOf(descriptorBlock)]);
  for (let area = volume.areaOf(run.start); area <= volume.areaOf(run.start + run.count - 1); area += 1) {
    areas.add(area);
  }
  return [...areas].filter((area) => !volume.isDirty(area)).length;
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
