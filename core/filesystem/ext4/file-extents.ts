import { CorruptFilesystemError } from '../errors';
import { parseExtentNode, verifyExtentBlock, type Extent, type ExtentNode } from './extent';
import { mapIndirectBlocks } from './indirect-map';
import { hasInlineData } from './inline-data';
import { InodeFlag, inodeChecksumSeed, type Inode } from './inode';
import type { VolumeReader } from './volume-reader';

/** File blocks are numbered with 32 bits. */
const MAX_LOGICAL_BLOCKS = 2 ** 32;

/**
 * Where a file's content is: runs in the order of the file; what no run covers is a hole. Of files with an extent tree
 * of any depth, and of those with the block map of ext2 and ext3. Inline ones have no blocks.
 * @throws CorruptFilesystemError
 */
export function fileExtents(volume: VolumeReader, number: number, inode: Inode): Extent[] {
  if (hasInlineData(inode)) return [];
  return inode.flags & InodeFlag.EXTENTS
    ? extentTree(volume, number, inode).extents
    : mapIndirectBlocks(volume, inode).extents;
}

/** Blocks that hold a file's extent tree or block map, apart from the inode itself. */
export function fileMapBlocks(volume: VolumeReader, number: number, inode: Inode): number[] {
  if (hasInlineData(inode)) return [];
  return inode.flags & InodeFlag.EXTENTS
    ? extentTree(volume, number, inode).treeBlocks
    : mapIndirectBlocks(volume, inode).mapBlocks;
}

function extentTree(
  volume: VolumeReader,
  number: number,
  inode: Inode,
): { extents: Extent[]; treeBlocks: number[] } {
  const seed = inodeChecksumSeed(volume.superblock, number, inode.generation);
  const extents: Extent[] = [];
  const treeBlocks: number[] = [];

  // Depth falls with every level and file blocks only grow, so no block of a hostile tree is walked twice for long.
  const walk = (node: ExtentNode, from: number, end: number): void => {
    if ('extents' in node) {
      for (const extent of node.extents) {
        if (extent.logicalBlock < from || extent.logicalBlock + extent.blocks > end) {
          throw new CorruptFilesystemError('extent outside its tree node', {
            inode: number,
            logicalBlock: extent.logicalBlock,
            blocks: extent.blocks,
          });
        }
        volume.checkBlocks(extent.physicalBlock, extent.blocks);
        extents.push(extent);
      }
      return;
    }
    if (node.indexes.length === 0) throw new CorruptFilesystemError('empty extent index', { inode: number });
    for (const [position, index] of node.indexes.entries()) {
      const nextStart = node.indexes[position + 1]?.logicalBlock ?? end;
      if (index.logicalBlock < from || nextStart > end) {
        throw new CorruptFilesystemError('extent index outside its tree node', {
          inode: number,
          logicalBlock: index.logicalBlock,
        });
      }
      const block = volume.block(index.childBlock);
      const child = parseExtentNode(block);
      if (child.depth !== node.depth - 1) {
        throw new CorruptFilesystemError('extent tree depth', { inode: number, depth: child.depth });
      }
      if (volume.superblock.hasMetadataChecksums) verifyExtentBlock(block, seed, index.childBlock);
      treeBlocks.push(index.childBlock);
      walk(child, index.logicalBlock, nextStart);
    }
  };
  walk(parseExtentNode(inode.block), 0, MAX_LOGICAL_BLOCKS);
  return { extents, treeBlocks };
}
