import { readU32 } from '../../bytes/little-endian';
import { CorruptFilesystemError } from '../errors';
import type { Extent } from './extent';
import type { Inode } from './inode';
import type { VolumeReader } from './volume-reader';

const DIRECT_BLOCKS = 12;

/**
 * The block map of ext2 and ext3: twelve block numbers in the inode, then blocks of block numbers one, two and three
 * levels deep. Number 0 is a hole.
 * @throws CorruptFilesystemError
 */
export function mapIndirectBlocks(
  volume: VolumeReader,
  inode: Inode,
): { extents: Extent[]; mapBlocks: number[] } {
  const { blockSize, blocksCount } = volume.superblock;
  const perBlock = blockSize / 4;
  const fileBlocks = Math.ceil(inode.sizeBytes / blockSize);
  const extents: Extent[] = [];
  const mapBlocks: number[] = [];
  let mapped = 0;

  const add = (logicalBlock: number, physicalBlock: number): void => {
    volume.checkBlocks(physicalBlock, 1);
    // A file has no more blocks than its volume: a map that says so shares blocks, and could be endless.
    if (++mapped > blocksCount) throw new CorruptFilesystemError('block map larger than the volume');
    const last = extents.at(-1);
    const continues =
      last !== undefined &&
      last.logicalBlock + last.blocks === logicalBlock &&
      last.physicalBlock + last.blocks === physicalBlock;
    if (continues) extents[extents.length - 1] = { ...last, blocks: last.blocks + 1 };
    else extents.push({ logicalBlock, physicalBlock, blocks: 1, unwritten: false });
  };

  const walk = (block: number, level: number, logicalBlock: number): void => {
    if (block === 0 || logicalBlock >= fileBlocks) return;
    if (level === 0) return add(logicalBlock, block);
    const pointers = volume.block(block);
    mapBlocks.push(block);
    if (mapBlocks.length > blocksCount) throw new CorruptFilesystemError('block map larger than the volume');
    const span = perBlock ** (level - 1);
    for (let entry = 0; entry < perBlock; entry++) {
      walk(readU32(pointers, entry * 4), level - 1, logicalBlock + entry * span);
    }
  };

  let logicalBlock = 0;
  for (let entry = 0; entry < DIRECT_BLOCKS; entry++)
    walk(readU32(inode.block, entry * 4), 0, logicalBlock++);
  for (let level = 1; level <= 3; level++) {
    walk(readU32(inode.block, (DIRECT_BLOCKS + level - 1) * 4), level, logicalBlock);
    logicalBlock += perBlock ** level;
  }
  return { extents, mapBlocks };
}
