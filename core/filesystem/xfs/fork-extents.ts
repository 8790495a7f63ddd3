import type { ByteRange } from '../../block-device/block-device';
import { CorruptFilesystemError } from '../errors';
import {
  childrenOf,
  type Extent,
  EXTENT_BLOCK_STAMP,
  EXTENT_BYTES,
  type ExtentNode,
  parseExtent,
  parseExtentBlock,
  parseExtentRoot,
} from './extent';
import { type Fork, ForkFormat } from './inode';
import type { Volume } from './volume';

/** A file in more pieces than any that was not made to fill memory. */
const MAX_EXTENTS = 5_000_000;

/**
 * Where a fork's blocks are: runs in the order of the file; what no run covers is a hole. Trees are read level by level,
 * each level in one fetch.
 * @throws CorruptFilesystemError
 */
export function forkExtents(volume: Volume, number: number, fork: Fork): Extent[] {
  const extents: Extent[] = [];
  if (fork.extentCount > MAX_EXTENTS) {
    throw new CorruptFilesystemError('file in more pieces than any', {
      inode: number,
      count: fork.extentCount,
    });
  }
  if (fork.format === ForkFormat.EXTENTS) {
    if (fork.extentCount * EXTENT_BYTES > fork.bytes.length) {
      throw new CorruptFilesystemError('more extents than fit', { inode: number, count: fork.extentCount });
    }
    takeExtents(volume, number, fork.bytes, { level: 0, count: fork.extentCount, at: 0 }, extents);
  } else if (fork.format === ForkFormat.BTREE) {
    readTree(volume, number, fork, extents);
  } else {
    throw new CorruptFilesystemError('fork that has no blocks', { inode: number, format: fork.format });
  }
  return extents;
}

/** Where the first level of a fork's tree is, for who wants to fetch many trees at once. */
export function treeRanges(volume: Volume, fork: Fork): ByteRange[] {
  if (fork.format !== ForkFormat.BTREE) return [];
  return rangesOf(volume, childrenOf(fork.bytes, parseExtentRoot(fork.bytes)));
}

function readTree(volume: Volume, number: number, fork: Fork, extents: Extent[]): void {
  const root = parseExtentRoot(fork.bytes);
  let children = childrenOf(fork.bytes, root);
  const seen = new Set<number>();
  for (let level = root.level - 1; level >= 0; level--) {
    const ranges = rangesOf(volume, children);
    volume.need(ranges);
    const next: number[] = [];
    for (const { offsetBytes, lengthBytes } of ranges) {
      // A tree that leads to a block twice would grow without end.
      if (seen.has(offsetBytes))
        throw new CorruptFilesystemError('extent tree with a loop', { inode: number });
      seen.add(offsetBytes);
      const block = volume.block({ offsetBytes, lengthBytes, owner: number }, EXTENT_BLOCK_STAMP);
      const node = parseExtentBlock(block, volume.superblock.hasStamps);
      if (node.level !== level) {
        throw new CorruptFilesystemError('level of an extent tree', { inode: number, level: node.level });
      }
      if (level === 0) takeExtents(volume, number, block, node, extents);
      else next.push(...childrenOf(block, node));
      if (next.length > fork.extentCount || extents.length > fork.extentCount) {
        throw new CorruptFilesystemError('extent tree larger than it says', { inode: number });
      }
    }
    children = next;
  }
  if (extents.length !== fork.extentCount) {
    throw new CorruptFilesystemError('count of extents', { inode: number, found: extents.length });
  }
}

function takeExtents(
  volume: Volume,
  number: number,
  bytes: Uint8Array,
  { at, count }: ExtentNode,
  into: Extent[],
): void {
  const last = into.at(-1);
  let next = last ? last.fileBlock + last.blocks : 0;
  for (let position = 0; position < count; position++) {
    const extent = parseExtent(bytes, at + position * EXTENT_BYTES, volume);
    if (extent.fileBlock < next) {
      throw new CorruptFilesystemError('extents out of order', {
        inode: number,
        fileBlock: extent.fileBlock,
      });
    }
    next = extent.fileBlock + extent.blocks;
    into.push(extent);
  }
}

function rangesOf(volume: Volume, blocks: readonly number[]): ByteRange[] {
  const { blockSize } = volume.superblock;
  return blocks.map((block) => ({ offsetBytes: volume.blockOffsetBytes(block), lengthBytes: blockSize }));
}
