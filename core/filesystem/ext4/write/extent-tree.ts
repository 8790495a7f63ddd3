import { CorruptFilesystemError } from '../../errors';
import {
  type Extent,
  type ExtentIndex,
  EXTENT_MAX_DEPTH,
  extentBlockCapacity,
  renewExtentBlockChecksum,
  writeExtentNode,
} from '../extent';
import type { InodeEdit } from './inode-edit';
import type { VolumeEdit } from './volume-edit';

const ROOT_BYTES = 60;
const ROOT_ENTRIES = 4;

/** The i_block of a file without blocks. */
export function emptyExtentRoot(): Uint8Array {
  const root = new Uint8Array(ROOT_BYTES);
  writeExtentNode(root, { depth: 0, maxEntries: ROOT_ENTRIES, generation: 0, extents: [] });
  return root;
}

/** Builds the tree anew, with every node but the last of each level full. Nodes that come out as they were stay clean. */
export function writeExtentTree(
  volume: VolumeEdit,
  inode: InodeEdit,
  extents: readonly Extent[],
  takeTreeBlock: () => number,
): void {
  const capacity = extentBlockCapacity(volume.superblock.blockSize);
  let depth = 0;
  let level: readonly (Extent | ExtentIndex)[] = extents;
  while (level.length > ROOT_ENTRIES) {
    const parents: ExtentIndex[] = [];
    for (let first = 0; first < level.length; first += capacity) {
      const entries = level.slice(first, first + capacity);
      const childBlock = takeTreeBlock();
      const block = new Uint8Array(volume.superblock.blockSize);
      writeNode(block, depth, capacity, entries);
      if (volume.superblock.hasMetadataChecksums) {
        renewExtentBlockChecksum(block, inode.checksumSeed);
      }
      volume.writeBlocks(childBlock, block);
      parents.push({ logicalBlock: entries[0]!.logicalBlock, childBlock });
    }
    level = parents;
    depth += 1;
  }
  if (depth > EXTENT_MAX_DEPTH) {
    throw new CorruptFilesystemError('an extent tree too deep to be written', { inode: inode.number, depth });
  }
  const root = new Uint8Array(ROOT_BYTES);
  writeNode(root, depth, ROOT_ENTRIES, level);
  inode.fields.block = root;
}

function writeNode(
  bytes: Uint8Array,
  depth: number,
  maxEntries: number,
  entries: readonly (Extent | ExtentIndex)[],
): void {
  if (depth === 0) {
    writeExtentNode(bytes, { depth, maxEntries, generation: 0, extents: entries as readonly Extent[] });
  } else {
    writeExtentNode(bytes, { depth, maxEntries, generation: 0, indexes: entries as readonly ExtentIndex[] });
  }
}
