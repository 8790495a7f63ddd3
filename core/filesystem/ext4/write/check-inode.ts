import { hasInlineData } from '../inline-data';
import { InodeFlag, S_IFDIR, S_IFMT, S_IFREG } from '../inode';
import { isBitSet, nextClearBit } from './bitmap';
import { type BlockRun, splitByGroup } from './block-allocator';
import { checkDirectory } from './check-directory';
import { type Claim, differs } from './check-findings';
import { type FileBlocks, readFileBlocks } from './file-blocks';
import { groupOfInode } from './geometry';
import type { InodeEdit } from './inode-edit';
import type { VolumeEdit } from './volume-edit';
import { type HeldXattrs, heldXattrs, valueSectors } from './xattr-claims';

/** Checks one inode: its bitmap bit, its blocks, its attributes, and when it is a directory its entries. */
export function checkInode(volume: VolumeEdit, number: number): { problems: string[]; claims: Claim[] } {
  const inode = volume.inode(number);
  const { inodesPerGroup } = volume.superblock;
  const bitmap = volume.group(groupOfInode(volume.superblock, number)).inodeBitmap();
  const { links } = inode.fields;
  if (!isBitSet(bitmap, (number - 1) % inodesPerGroup)) {
    return { problems: links === 0 ? [] : [`free, but has ${links} links`], claims: [] };
  }
  const problems: string[] = links === 0 ? ['in use, but has no links'] : [];
  const blocks = readFileBlocks(volume, inode);
  const own: BlockRun[] = [
    ...blocks.extents.map(({ physicalBlock, blocks: count }) => ({ start: physicalBlock, count })),
    ...blocks.treeBlocks.map((start) => ({ start, count: 1 })),
  ];
  const runs = [...own];
  const xattrs = heldXattrs(volume, inode);
  if (xattrs.block !== undefined) {
    runs.push({ start: inode.fields.xattrBlock, count: 1 });
  }
  problems.push(...checkRuns(volume, runs), ...checkSize(volume, inode, blocks, runs, xattrs));
  if (inode.isDirectory) {
    problems.push(...checkDirectory(volume, inode));
  }
  return { problems, claims: own.map((run) => ({ ...run, inode: number })) };
}

function checkRuns(volume: VolumeEdit, runs: readonly BlockRun[]): string[] {
  const problems: string[] = [];
  for (const run of runs) {
    for (const { group, first, count } of splitByGroup(volume, run)) {
      if (nextClearBit(group.blockBitmap(), first, first + count) !== first + count) {
        problems.push(`blocks ${run.start} to ${run.start + run.count} are not all marked as in use`);
      }
      if (group.holdsStructure(first, count)) {
        problems.push(`blocks ${run.start} to ${run.start + run.count} hold a structure of the volume`);
      }
    }
  }
  return problems;
}

function checkSize(
  volume: VolumeEdit,
  { fields }: InodeEdit,
  { extents }: FileBlocks,
  runs: readonly BlockRun[],
  xattrs: HeldXattrs,
): string[] {
  const { blockSize } = volume.superblock;
  const sectors =
    runs.reduce((sum, { count }) => sum + count, 0) * (blockSize / 512) +
    valueSectors(volume.superblock, xattrs);
  const end = extents.reduce((most, { logicalBlock, blocks }) => Math.max(most, logicalBlock + blocks), 0);
  const type = fields.mode & S_IFMT;
  const problems = differs('sectors', fields.sectors, sectors);
  // Blocks behind the end may have been allocated ahead (fallocate), which only extents can say.
  const mayReachFurther = type === S_IFREG && (fields.flags & InodeFlag.EXTENTS) !== 0;
  if (end * blockSize >= fields.sizeBytes + blockSize && !mayReachFurther) {
    problems.push(`${end} blocks for ${fields.sizeBytes} bytes`);
  }
  if (type === S_IFDIR && !hasInlineData(fields) && end * blockSize !== fields.sizeBytes) {
    problems.push(`a directory of ${fields.sizeBytes} bytes in ${end} blocks`);
  }
  return problems;
}
