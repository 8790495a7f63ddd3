import { writeU32 } from '../../../bytes/little-endian';
import { UnsupportedFeatureError } from '../../errors';
import type { Extent } from '../extent';
import type { InodeEdit } from './inode-edit';
import type { VolumeEdit } from './volume-edit';

/** Twelve direct blocks, then one root each of the single, double and triple indirect trees. */
const DIRECT = 12;
const LEVELS = 3;

/**
 * Builds the block map of ext2 and ext3 anew (kernel Documentation/filesystems/ext4/ifork.rst).
 * @throws UnsupportedFeatureError when the file is too large for one
 */
export function writeBlockMap(
  volume: VolumeEdit,
  inode: InodeEdit,
  extents: readonly Extent[],
  takeTreeBlock: () => number,
): void {
  const perBlock = volume.superblock.blockSize / 4;
  const blocks = new Map<number, number>();
  for (const extent of extents) {
    for (let n = 0; n < extent.blocks; n += 1) {
      blocks.set(extent.logicalBlock + n, extent.physicalBlock + n);
    }
  }
  const end = extents.reduce(
    (most, { logicalBlock, blocks: count }) => Math.max(most, logicalBlock + count),
    0,
  );
  const holdsNone = (first: number, stop: number): boolean =>
    extents.every((extent) => extent.logicalBlock >= stop || extent.logicalBlock + extent.blocks <= first);
  const build = (level: number, first: number): number => {
    if (level === 0) {
      return blocks.get(first) ?? 0;
    }
    if (holdsNone(first, first + perBlock ** level)) {
      return 0;
    }
    const span = perBlock ** (level - 1);
    const children = Array.from({ length: perBlock }, (_, entry) =>
      first + entry * span < end ? build(level - 1, first + entry * span) : 0,
    );
    if (children.every((child) => child === 0)) {
      return 0;
    }
    const bytes = new Uint8Array(volume.superblock.blockSize);
    children.forEach((child, entry) => writeU32(bytes, entry * 4, child));
    const block = takeTreeBlock();
    volume.writeBlocks(block, bytes);
    return block;
  };
  const root = new Uint8Array(inode.fields.block.length);
  let first = 0;
  for (; first < DIRECT; first += 1) {
    writeU32(root, first * 4, blocks.get(first) ?? 0);
  }
  for (let level = 1; level <= LEVELS; level += 1) {
    writeU32(root, (DIRECT + level - 1) * 4, first < end ? build(level, first) : 0);
    first += perBlock ** level;
  }
  if (end > first) {
    throw new UnsupportedFeatureError(['files too large for a block map'], 'write');
  }
  inode.fields.block = root;
}
