import { readU16BE, readU32BE, readU64BE } from '../../bytes/big-endian';
import { CorruptFilesystemError } from '../errors';
import type { StampLayout } from './block-stamp';
import type { Volume } from './volume';

export const EXTENT_BYTES = 16;

/** A run of a file's blocks that lie together on the disk. */
export interface Extent {
  /** First block of the run, counted in the file. */
  readonly fileBlock: number;
  readonly blocks: number;
  /** Where the run begins, in bytes of the volume. */
  readonly offsetBytes: number;
  /** Allocated and never written: reads as zeros. */
  readonly unwritten: boolean;
}

/** One node of a tree of extents: `root` in the inode, or a block. Children are filesystem block numbers. */
export interface ExtentNode {
  readonly level: number;
  readonly count: number;
  /** Where extents, or children, begin. */
  readonly at: number;
}

const BLOCK_MAGIC_V4 = 0x424d4150;
const BLOCK_MAGIC_V5 = 0x424d4133;
const HEADER_BYTES_V4 = 24;
const HEADER_BYTES_V5 = 72;
const ROOT_HEADER_BYTES = 4;
/** The kernel's trees are no higher (XFS_BTREE_MAXLEVELS). */
const MAX_LEVEL = 16;

export const EXTENT_BLOCK_STAMP: StampLayout = {
  what: 'extent tree block',
  crc: 64,
  address: 24,
  uuid: 40,
  owner: 56,
};

/**
 * Unpacks one run: a flag, 54 bits of file block, 52 of disk block, 21 of length.
 * @throws CorruptFilesystemError unless it lies within one allocation group
 */
export function parseExtent(bytes: Uint8Array, at: number, volume: Volume): Extent {
  const high = readU32BE(bytes, at);
  const second = readU32BE(bytes, at + 4);
  const third = readU32BE(bytes, at + 8);
  const fourth = readU32BE(bytes, at + 12);
  const blocks = fourth & 0x1fffff;
  if (blocks === 0) throw new CorruptFilesystemError('extent without blocks');
  const fileBlock = (high & 0x7fffffff) * 2 ** 23 + (second >>> 9);
  const diskBlock = (second & 0x1ff) * 2 ** 43 + third * 2 ** 11 + (fourth >>> 21);
  return {
    fileBlock,
    blocks,
    offsetBytes: volume.blockOffsetBytes(diskBlock, blocks),
    unwritten: high >>> 31 === 1,
  };
}

/** The root of a tree of extents, as it stands in an inode. @throws CorruptFilesystemError */
export function parseExtentRoot(fork: Uint8Array): ExtentNode {
  const level = readU16BE(fork, 0);
  const count = readU16BE(fork, 2);
  const room = Math.floor((fork.length - ROOT_HEADER_BYTES) / EXTENT_BYTES);
  if (level === 0 || level > MAX_LEVEL || count === 0 || count > room) {
    throw new CorruptFilesystemError('root of an extent tree', { level, count, room });
  }
  return { level, count, at: ROOT_HEADER_BYTES + room * 8 };
}

/** A block of a tree of extents. @throws CorruptFilesystemError */
export function parseExtentBlock(block: Uint8Array, hasStamps: boolean): ExtentNode {
  const header = hasStamps ? HEADER_BYTES_V5 : HEADER_BYTES_V4;
  const level = readU16BE(block, 4);
  const count = readU16BE(block, 6);
  const room = Math.floor((block.length - header) / EXTENT_BYTES);
  const isOne = readU32BE(block, 0) === (hasStamps ? BLOCK_MAGIC_V5 : BLOCK_MAGIC_V4);
  if (!isOne || level > MAX_LEVEL || count === 0 || count > room) {
    throw new CorruptFilesystemError('block of an extent tree', { level, count, room });
  }
  return { level, count, at: level === 0 ? header : header + room * 8 };
}

/** Block numbers of a node's children. */
export function childrenOf(bytes: Uint8Array, { at, count }: ExtentNode): number[] {
  return Array.from({ length: count }, (_, child) => readU64BE(bytes, at + child * 8));
}
