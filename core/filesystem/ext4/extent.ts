import { joinU64, highU32, lowU32, readU16, readU32, writeU16, writeU32 } from '../../bytes/little-endian';
import { CorruptFilesystemError } from '../errors';
import { crc32c } from '../../bytes/checksum';

const EXTENT_MAGIC = 0xf30a;
const EXTENT_HEADER_BYTES = 12;
const EXTENT_ENTRY_BYTES = 12;
/** The kernel never builds a deeper tree. */
export const EXTENT_MAX_DEPTH = 5;
/** Most blocks of one extent; an unwritten one holds one less. */
export const EXTENT_MAX_BLOCKS = 32768;

/** A run of a file's blocks that lie together on the disk. */
export interface Extent {
  /** First block of the run, counted in the file. */
  readonly logicalBlock: number;
  readonly physicalBlock: number;
  readonly blocks: number;
  /** Allocated and never written: reads as zeros. */
  readonly unwritten: boolean;
}

export interface ExtentIndex {
  /** First file block that the child covers. */
  readonly logicalBlock: number;
  readonly childBlock: number;
}

/** One node of an extent tree: the root in i_block, or a whole block. */
export type ExtentNode =
  | {
      readonly depth: 0;
      readonly maxEntries: number;
      readonly generation: number;
      readonly extents: readonly Extent[];
    }
  | {
      readonly depth: number;
      readonly maxEntries: number;
      readonly generation: number;
      readonly indexes: readonly ExtentIndex[];
    };

/**
 * @param bytes the 60 bytes of i_block, or a whole tree block
 * @throws CorruptFilesystemError when header, order or overlap are wrong
 */
export function parseExtentNode(bytes: Uint8Array): ExtentNode {
  if (readU16(bytes, 0) !== EXTENT_MAGIC) throw new CorruptFilesystemError('extent node magic');
  const entries = readU16(bytes, 2);
  const maxEntries = readU16(bytes, 4);
  const depth = readU16(bytes, 6);
  const generation = readU32(bytes, 8);
  const room = Math.floor((bytes.length - EXTENT_HEADER_BYTES) / EXTENT_ENTRY_BYTES);
  if (entries > maxEntries || maxEntries > room || depth > EXTENT_MAX_DEPTH) {
    throw new CorruptFilesystemError('extent node header', { entries, maxEntries, depth, room });
  }
  if (depth > 0) return { depth, maxEntries, generation, indexes: parseIndexes(bytes, entries) };
  return { depth: 0, maxEntries, generation, extents: parseExtents(bytes, entries) };
}

/** Puts the node's header and entries into `bytes`; what follows the last entry stays as it is. */
export function writeExtentNode(bytes: Uint8Array, node: ExtentNode): void {
  const entries = 'extents' in node ? node.extents : node.indexes;
  writeU16(bytes, 0, EXTENT_MAGIC);
  writeU16(bytes, 2, entries.length);
  writeU16(bytes, 4, node.maxEntries);
  writeU16(bytes, 6, node.depth);
  writeU32(bytes, 8, node.generation);
  let at = EXTENT_HEADER_BYTES;
  for (const entry of entries) {
    writeU32(bytes, at, entry.logicalBlock);
    if ('blocks' in entry) {
      writeU16(bytes, at + 4, entry.unwritten ? entry.blocks + EXTENT_MAX_BLOCKS : entry.blocks);
      writeU16(bytes, at + 6, highU32(entry.physicalBlock));
      writeU32(bytes, at + 8, lowU32(entry.physicalBlock));
    } else {
      writeU32(bytes, at + 4, lowU32(entry.childBlock));
      writeU16(bytes, at + 8, highU32(entry.childBlock));
      writeU16(bytes, at + 10, 0);
    }
    at += EXTENT_ENTRY_BYTES;
  }
}

/** How many entries a tree block holds: with and without checksums the tail has room. */
export function extentBlockCapacity(blockSize: number): number {
  return Math.floor((blockSize - EXTENT_HEADER_BYTES) / EXTENT_ENTRY_BYTES);
}

/**
 * Renews the tail of a tree block.
 * @param seed inodeChecksumSeed of the file
 */
export function renewExtentBlockChecksum(block: Uint8Array, seed: number): void {
  const tail = tailOffset(block);
  writeU32(block, tail, crc32c(seed, block, 0, tail));
}

/** @throws CorruptFilesystemError */
export function verifyExtentBlock(block: Uint8Array, seed: number, blockNumber: number): void {
  const tail = tailOffset(block);
  const expected = crc32c(seed, block, 0, tail);
  const found = readU32(block, tail);
  if (found !== expected)
    throw new CorruptFilesystemError('extent block checksum', { blockNumber, expected, found });
}

function tailOffset(block: Uint8Array): number {
  return EXTENT_HEADER_BYTES + EXTENT_ENTRY_BYTES * readU16(block, 4);
}

function parseExtents(bytes: Uint8Array, entries: number): Extent[] {
  const extents: Extent[] = [];
  let next = 0;
  for (let entry = 0; entry < entries; entry++) {
    const at = EXTENT_HEADER_BYTES + entry * EXTENT_ENTRY_BYTES;
    const logicalBlock = readU32(bytes, at);
    const length = readU16(bytes, at + 4);
    const unwritten = length > EXTENT_MAX_BLOCKS;
    const blocks = unwritten ? length - EXTENT_MAX_BLOCKS : length;
    if (blocks === 0 || logicalBlock < next) {
      throw new CorruptFilesystemError('extents out of order', { entry, logicalBlock, blocks, next });
    }
    next = logicalBlock + blocks;
    extents.push({
      logicalBlock,
      physicalBlock: joinU64(readU16(bytes, at + 6), readU32(bytes, at + 8)),
      blocks,
      unwritten,
    });
  }
  return extents;
}

function parseIndexes(bytes: Uint8Array, entries: number): ExtentIndex[] {
  const indexes: ExtentIndex[] = [];
  let last = -1;
  for (let entry = 0; entry < entries; entry++) {
    const at = EXTENT_HEADER_BYTES + entry * EXTENT_ENTRY_BYTES;
    const logicalBlock = readU32(bytes, at);
    if (logicalBlock <= last) {
      throw new CorruptFilesystemError('extent indexes out of order', { entry, logicalBlock, last });
    }
    last = logicalBlock;
    indexes.push({ logicalBlock, childBlock: joinU64(readU16(bytes, at + 8), readU32(bytes, at + 4)) });
  }
  return indexes;
}
