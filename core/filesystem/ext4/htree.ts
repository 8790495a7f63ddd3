import { readU16, readU32, writeU16, writeU32 } from '../../bytes/little-endian';
import { CorruptFilesystemError } from '../errors';
import { crc32c, crc32cZeros } from '../../bytes/checksum';
import { Incompat } from './features';
import { FLAG_UNSIGNED_HASH, type Superblock } from './superblock';

const ROOT_INFO = 0x18;
const ROOT_ENTRIES = 0x20;
const NODE_ENTRIES = 0x8;
const ENTRY_BYTES = 8;
const TAIL_BYTES = 8;
/** Levels below the root, with large_dir and without. */
const MAX_INDIRECT_LEVELS = 2;
const MAX_OLD_INDIRECT_LEVELS = 1;

/** One child of an index node: names whose hash is at least `hash` are in the directory block `block`. */
export interface HtreeEntry {
  /** 0 for the first entry, which has none on the disk. */
  readonly hash: number;
  /** Counted in the directory. */
  readonly block: number;
}

/** One index block of a directory with the INDEX flag (kernel Documentation/filesystems/ext4/directory.rst, "Hash Tree"). */
export interface HtreeNode {
  /** Most entries the block takes. */
  readonly limit: number;
  readonly entries: readonly HtreeEntry[];
}

/** Block 0 of an indexed directory. */
export interface HtreeRoot extends HtreeNode {
  readonly hashVersion: number;
  /** 0 when the entries name leaf blocks. */
  readonly indirectLevels: number;
  readonly parentInode: number;
}

/** @throws CorruptFilesystemError */
export function parseHtreeRoot(block: Uint8Array): HtreeRoot {
  const indirectLevels = block[ROOT_INFO + 6]!;
  if (readU32(block, ROOT_INFO) !== 0 || block[ROOT_INFO + 5] !== 8 || indirectLevels > MAX_INDIRECT_LEVELS) {
    throw new CorruptFilesystemError('root of a directory index', { indirectLevels });
  }
  return {
    ...parseEntries(block, ROOT_ENTRIES),
    hashVersion: block[ROOT_INFO + 4]!,
    indirectLevels,
    parentInode: readU32(block, 12),
  };
}

/** @throws CorruptFilesystemError */
export function parseHtreeNode(block: Uint8Array): HtreeNode {
  return parseEntries(block, NODE_ENTRIES);
}

/** Whether a block of an indexed directory is an inner node: one unused record over the whole block. */
export function isHtreeNode(block: Uint8Array): boolean {
  const recordLength = readU16(block, 4);
  const isWhole =
    recordLength === block.length ||
    (block.length === 65536 && (recordLength === 0 || recordLength === 65535));
  return readU32(block, 0) === 0 && isWhole && block[6] === 0;
}

/** Index levels below the root that a directory of the volume may have. */
export function mostIndirectLevels({ featureIncompat }: Superblock): number {
  return featureIncompat & Incompat.large_dir ? MAX_INDIRECT_LEVELS : MAX_OLD_INDIRECT_LEVELS;
}

/** How many entries a root block takes. */
export function htreeRootLimit(superblock: Superblock): number {
  return limitFrom(superblock, ROOT_ENTRIES);
}

/** How many entries an inner node takes. */
export function htreeNodeLimit(superblock: Superblock): number {
  return limitFrom(superblock, NODE_ENTRIES);
}

/** Puts index data into a block that already has its `.` and `..` records. Follow with renewHtreeChecksum. */
export function writeHtreeRoot(block: Uint8Array, root: HtreeRoot): void {
  writeU32(block, 12, root.parentInode);
  writeU16(block, 12 + 4, block.length - 12);
  writeU32(block, ROOT_INFO, 0);
  block[ROOT_INFO + 4] = root.hashVersion;
  block[ROOT_INFO + 5] = 8;
  block[ROOT_INFO + 6] = root.indirectLevels;
  block[ROOT_INFO + 7] = 0;
  writeEntries(block, ROOT_ENTRIES, root);
}

/** Makes an inner node of a block. Follow with renewHtreeChecksum. */
export function writeHtreeNode(block: Uint8Array, node: HtreeNode): void {
  writeU32(block, 0, 0);
  writeU16(block, 4, block.length === 65536 ? 65535 : block.length);
  block[6] = 0;
  block[7] = 0;
  writeEntries(block, NODE_ENTRIES, node);
}

/**
 * The reserved word before the checksum counts too, and is left as it is: the kernel leaves there what it finds.
 * @param seed inodeChecksumSeed of the directory
 */
export function renewHtreeChecksum(block: Uint8Array, seed: number, isRoot: boolean): void {
  const { tail, checksum } = checksumOf(block, seed, isRoot);
  writeU32(block, tail + 4, checksum());
}

/** @throws CorruptFilesystemError */
export function verifyHtreeBlock(
  block: Uint8Array,
  seed: number,
  isRoot: boolean,
  blockNumber: number,
): void {
  const { tail, checksum } = checksumOf(block, seed, isRoot);
  const expected = checksum();
  const found = readU32(block, tail + 4);
  if (found !== expected)
    throw new CorruptFilesystemError('directory index checksum', { blockNumber, expected, found });
}

/** The hash version of the root, made unsigned where the superblock says that the volume was made so. */
export function hashVersionOf(rootVersion: number, superblock: Superblock): number {
  return rootVersion <= 2 && superblock.flags & FLAG_UNSIGNED_HASH ? rootVersion + 3 : rootVersion;
}

function limitFrom(superblock: Superblock, start: number): number {
  const tail = superblock.hasMetadataChecksums ? TAIL_BYTES : 0;
  return Math.floor((superblock.blockSize - start - tail) / ENTRY_BYTES);
}

function parseEntries(block: Uint8Array, start: number): HtreeNode {
  const limit = readU16(block, start);
  const count = readU16(block, start + 2);
  if (count === 0 || count > limit || start + limit * ENTRY_BYTES > block.length) {
    throw new CorruptFilesystemError('directory index counts', { count, limit });
  }
  const entries: HtreeEntry[] = [{ hash: 0, block: readU32(block, start + 4) }];
  for (let entry = 1; entry < count; entry++) {
    const at = start + entry * ENTRY_BYTES;
    const hash = readU32(block, at);
    if ((hash & ~1) >>> 0 < (entries[entry - 1]!.hash & ~1) >>> 0) {
      throw new CorruptFilesystemError('directory index out of order', { entry, hash });
    }
    entries.push({ hash, block: readU32(block, at + 4) });
  }
  return { limit, entries };
}

function writeEntries(block: Uint8Array, start: number, node: HtreeNode): void {
  writeU16(block, start, node.limit);
  writeU16(block, start + 2, node.entries.length);
  node.entries.forEach((entry, index) => {
    const at = start + index * ENTRY_BYTES;
    if (index > 0) writeU32(block, at, entry.hash);
    writeU32(block, at + 4, entry.block);
  });
}

function checksumOf(
  block: Uint8Array,
  seed: number,
  isRoot: boolean,
): { tail: number; checksum: () => number } {
  const start = isRoot ? ROOT_ENTRIES : NODE_ENTRIES;
  const limit = readU16(block, start);
  const count = readU16(block, start + 2);
  const tail = start + limit * ENTRY_BYTES;
  if (count > limit || tail + TAIL_BYTES > block.length) {
    throw new CorruptFilesystemError('directory index counts', { count, limit });
  }
  return {
    tail,
    checksum: () => {
      const entries = crc32c(seed, block, 0, start + count * ENTRY_BYTES);
      return crc32cZeros(crc32c(entries, block, tail, tail + 4), 4);
    },
  };
}
