import { readU16BE, readU32BE, readU64BE } from '../../bytes/big-endian';
import { readU8 } from '../../bytes/little-endian';
import { decodeName } from '../../bytes/names';
import { CorruptFilesystemError } from '../errors';
import type { StampLayout } from './block-stamp';
import type { Superblock } from './superblock';

/**
 * Takes one entry of a directory, `.` and `..` left out. Its name is the bytes [from, to) and is a possible one; `type` is
 * as on the disk (XFS_DIR3_FT_*), 0 when the directory does not say.
 */
export type TakeEntry = (bytes: Uint8Array, from: number, to: number, inode: number, type: number) => void;

/** Data before this place of a directory's address space; its indexes behind (XFS_DIR2_LEAF_OFFSET). */
export const DIRECTORY_DATA_BYTES = 2 ** 35;

/** Whose entries they are. */
export interface DirectoryOwner {
  readonly superblock: Superblock;
  readonly number: number;
}

export const DIRECTORY_BLOCK_STAMP: StampLayout = {
  what: 'directory block',
  crc: 4,
  address: 8,
  uuid: 24,
  owner: 40,
};

const BLOCK_MAGIC = { v4: 0x58443242, v5: 0x58444233 };
const DATA_MAGIC = { v4: 0x58443244, v5: 0x58444433 };
const HEADER_BYTES = { v4: 16, v5: 64 };
const UNUSED = 0xffff;
const SLASH = 0x2f;
const DOT = 0x2e;

/** A directory that is small enough for its inode. @throws CorruptFilesystemError */
export function takeShortform(
  fork: Uint8Array,
  sizeBytes: number,
  { superblock, number }: DirectoryOwner,
  take: TakeEntry,
): void {
  if (sizeBytes > fork.length) {
    throw new CorruptFilesystemError('directory larger than its inode', { inode: number, sizeBytes });
  }
  const bytes = fork.subarray(0, sizeBytes);
  const count = readU8(bytes, 0);
  // One number that needs eight bytes makes all of them so wide.
  const isWide = readU8(bytes, 1) !== 0;
  const typeBytes = superblock.hasFileTypes ? 1 : 0;
  let at = isWide ? 10 : 6;
  for (let entry = 0; entry < count; entry++) {
    const from = at + 3;
    const to = from + readU8(bytes, at);
    const inode = isWide ? readU64BE(bytes, to + typeBytes) : readU32BE(bytes, to + typeBytes);
    assertName(bytes, from, to, number);
    take(bytes, from, to, inode, typeBytes === 1 ? bytes[to]! : 0);
    at = to + typeBytes + (isWide ? 8 : 4);
  }
}

/**
 * One block of a directory: a data block, or the only block, which has its index at its end.
 * @throws CorruptFilesystemError
 */
export function takeBlock(block: Uint8Array, { superblock, number }: DirectoryOwner, take: TakeEntry): void {
  const form = superblock.hasStamps ? 'v5' : 'v4';
  const magic = readU32BE(block, 0);
  if (magic !== BLOCK_MAGIC[form] && magic !== DATA_MAGIC[form]) {
    throw new CorruptFilesystemError('no directory block where one should be', { inode: number, magic });
  }
  const end = magic === BLOCK_MAGIC[form] ? endOfData(block, number) : block.length;
  const typeBytes = superblock.hasFileTypes ? 1 : 0;
  for (let at = HEADER_BYTES[form]; at < end;) {
    if (readU16BE(block, at) === UNUSED) {
      at += spanOf(readU16BE(block, at + 2), at, end, number);
      continue;
    }
    const from = at + 9;
    const to = from + readU8(block, at + 8);
    // Behind the name its type and the entry's own place, all in units of eight bytes.
    const span = spanOf((to - at + typeBytes + 2 + 7) & ~7, at, end, number);
    if (!isDotEntry(block, from, to)) {
      assertName(block, from, to, number);
      take(block, from, to, readU64BE(block, at), typeBytes === 1 ? block[to]! : 0);
    }
    at += span;
  }
}

/** Where the index of a directory's only block begins. */
function endOfData(block: Uint8Array, number: number): number {
  const count = readU32BE(block, block.length - 8);
  const end = block.length - 8 - count * 8;
  if (end < 0) throw new CorruptFilesystemError('index of a directory block', { inode: number, count });
  return end;
}

function spanOf(span: number, at: number, end: number, number: number): number {
  if (span === 0 || span % 8 !== 0 || at + span > end) {
    throw new CorruptFilesystemError('length of a directory entry', { inode: number, at, span });
  }
  return span;
}

function isDotEntry(bytes: Uint8Array, from: number, to: number): boolean {
  return bytes[from] === DOT && (to - from === 1 || (to - from === 2 && bytes[from + 1] === DOT));
}

function assertName(bytes: Uint8Array, from: number, to: number, number: number): void {
  let isPossible = to > from && to <= bytes.length && !isDotEntry(bytes, from, to);
  for (let at = from; at < to; at++) if (bytes[at] === SLASH || bytes[at] === 0) isPossible = false;
  if (isPossible) return;
  throw new CorruptFilesystemError('impossible name in a directory', {
    inode: number,
    name: decodeName(bytes.subarray(from, to)),
  });
}
