import {
  highU32,
  joinU64,
  lowU32,
  readI32,
  readU16,
  readU32,
  writeU16,
  writeU32,
} from '../../bytes/little-endian';
import { CorruptFilesystemError } from '../errors';
import { crc32c, crc32cU32, crc32cZeros } from '../../bytes/checksum';
import { Incompat, RoCompat } from './features';
import type { Superblock } from './superblock';

/** Inodes with a fixed meaning. */
export const ROOT_INODE = 2;

/** Bits of `flags`, by their kernel names. */
export const InodeFlag = {
  IMMUTABLE: 0x10,
  APPEND: 0x20,
  ENCRYPT: 0x800,
  INDEX: 0x1000,
  HUGE_FILE: 0x40000,
  EXTENTS: 0x80000,
  VERITY: 0x100000,
  EA_INODE: 0x200000,
  INLINE_DATA: 0x10000000,
  PROJINHERIT: 0x20000000,
  CASEFOLD: 0x40000000,
} as const;

/** File type bits of `mode`. */
export const S_IFMT = 0xf000;
export const S_IFSOCK = 0xc000;
export const S_IFLNK = 0xa000;
export const S_IFREG = 0x8000;
export const S_IFBLK = 0x6000;
export const S_IFDIR = 0x4000;
export const S_IFCHR = 0x2000;
export const S_IFIFO = 0x1000;

/** The part of an inode that every revision has. What comes after it counts only as far as extra_isize says. */
export const GOOD_OLD_INODE_BYTES = 128;
/** Bytes after the first 128 that this code and today's kernel know. */
export const EXTRA_ISIZE = 32;

const EXTRA_CTIME = 0x84;
const EXTRA_MTIME = 0x88;
const EXTRA_ATIME = 0x8c;
const CRTIME = 0x90;
const PROJECT_ID = 0x9c;
const NS_PER_SECOND = 1_000_000_000n;

/** One inode (kernel Documentation/filesystems/ext4/inodes.rst). Times are nanoseconds since 1970. */
export interface Inode {
  /** Type and permission bits. */
  mode: number;
  uid: number;
  gid: number;
  sizeBytes: number;
  links: number;
  flags: number;
  /** Space taken, in 512-byte sectors whatever the unit on the disk (huge_file). */
  sectors: number;
  generation: number;
  /** Block that holds further extended attributes; 0 for none. */
  xattrBlock: number;
  atimeNs: bigint;
  mtimeNs: bigint;
  ctimeNs: bigint;
  /** Birth time; undefined when the inode has no room for it. */
  crtimeNs: bigint | undefined;
  /** Seconds of deletion, or the next inode of the orphan list. */
  dtime: number;
  /** The 60 bytes of i_block: extent tree root, block map, short symbolic link, or device number. */
  block: Uint8Array;
  /** Bytes used after the first 128: 0 in 128-byte inodes. */
  extraIsize: number;
  projectId: number;
}

/**
 * @param bytes one inode, superblock.inodeSize long. `block` of the answer is a copy.
 * @throws CorruptFilesystemError when extra_isize is impossible
 */
export function parseInode(bytes: Uint8Array, superblock: Superblock): Inode {
  const mode = readU16(bytes, 0x0);
  const flags = readU32(bytes, 0x20);
  const extraIsize = extraIsizeOf(bytes, superblock);
  const isHuge = (superblock.featureRoCompat & RoCompat.huge_file) !== 0;
  const sectorsField = readU32(bytes, 0x1c) + (isHuge ? readU16(bytes, 0x74) * 0x1_0000_0000 : 0);
  const has = (offset: number): boolean => fits(offset, extraIsize);
  return {
    mode,
    uid: readU16(bytes, 0x2) + readU16(bytes, 0x78) * 0x10000,
    gid: readU16(bytes, 0x18) + readU16(bytes, 0x7a) * 0x10000,
    sizeBytes: hasLargeSize(mode, superblock)
      ? joinU64(readU32(bytes, 0x6c), readU32(bytes, 0x4))
      : readU32(bytes, 0x4),
    links: readU16(bytes, 0x1a),
    flags,
    sectors:
      isHuge && flags & InodeFlag.HUGE_FILE ? sectorsField * (superblock.blockSize / 512) : sectorsField,
    generation: readU32(bytes, 0x64),
    xattrBlock: readU32(bytes, 0x68) + readU16(bytes, 0x76) * 0x1_0000_0000,
    atimeNs: readTime(bytes, 0x8, has(EXTRA_ATIME) ? EXTRA_ATIME : undefined),
    mtimeNs: readTime(bytes, 0x10, has(EXTRA_MTIME) ? EXTRA_MTIME : undefined),
    ctimeNs: readTime(bytes, 0xc, has(EXTRA_CTIME) ? EXTRA_CTIME : undefined),
    crtimeNs: has(CRTIME + 4) ? readTime(bytes, CRTIME, CRTIME + 4) : undefined,
    dtime: readU32(bytes, 0x14),
    block: bytes.slice(0x28, 0x64),
    extraIsize,
    projectId: has(PROJECT_ID) ? readU32(bytes, PROJECT_ID) : 0,
  };
}

/**
 * Puts every field into `bytes` (one inode, superblock.inodeSize long), then renews the checksum. Bytes of no field
 * (version, the extended attribute area) stay as they are. A new inode starts from zeros and extraIsize EXTRA_ISIZE.
 */
export function writeInode(bytes: Uint8Array, inode: Inode, superblock: Superblock, number: number): void {
  const isHuge = (superblock.featureRoCompat & RoCompat.huge_file) !== 0;
  const unit = isHuge && inode.flags & InodeFlag.HUGE_FILE ? superblock.blockSize / 512 : 1;
  writeU16(bytes, 0x0, inode.mode);
  writeU16(bytes, 0x2, inode.uid & 0xffff);
  writeU16(bytes, 0x78, inode.uid >>> 16);
  writeU16(bytes, 0x18, inode.gid & 0xffff);
  writeU16(bytes, 0x7a, inode.gid >>> 16);
  writeU32(bytes, 0x4, lowU32(inode.sizeBytes));
  if (hasLargeSize(inode.mode, superblock)) writeU32(bytes, 0x6c, highU32(inode.sizeBytes));
  writeU16(bytes, 0x1a, inode.links);
  writeU32(bytes, 0x20, inode.flags);
  writeU32(bytes, 0x1c, lowU32(inode.sectors / unit));
  if (isHuge) writeU16(bytes, 0x74, highU32(inode.sectors / unit));
  writeU32(bytes, 0x64, inode.generation);
  writeU32(bytes, 0x68, lowU32(inode.xattrBlock));
  writeU16(bytes, 0x76, highU32(inode.xattrBlock));
  writeU32(bytes, 0x14, inode.dtime);
  bytes.set(inode.block, 0x28);
  if (superblock.inodeSize > GOOD_OLD_INODE_BYTES) writeU16(bytes, 0x80, inode.extraIsize);
  const has = (offset: number): boolean => fits(offset, inode.extraIsize);
  writeTime(bytes, 0x8, has(EXTRA_ATIME) ? EXTRA_ATIME : undefined, inode.atimeNs);
  writeTime(bytes, 0x10, has(EXTRA_MTIME) ? EXTRA_MTIME : undefined, inode.mtimeNs);
  writeTime(bytes, 0xc, has(EXTRA_CTIME) ? EXTRA_CTIME : undefined, inode.ctimeNs);
  if (has(CRTIME + 4) && inode.crtimeNs !== undefined) writeTime(bytes, CRTIME, CRTIME + 4, inode.crtimeNs);
  if (has(PROJECT_ID)) writeU32(bytes, PROJECT_ID, inode.projectId);
  renewInodeChecksum(bytes, superblock, number);
}

/** Call after any change to an inode's bytes that did not go through `writeInode`, such as its attribute area. */
function renewInodeChecksum(bytes: Uint8Array, superblock: Superblock, number: number): void {
  if (!superblock.hasMetadataChecksums) return;
  const crc = inodeChecksum(bytes, superblock, number);
  writeU16(bytes, 0x7c, crc & 0xffff);
  if (hasHighChecksum(bytes, superblock)) writeU16(bytes, 0x82, crc >>> 16);
}

/** @throws CorruptFilesystemError */
export function verifyInode(bytes: Uint8Array, superblock: Superblock, number: number): void {
  if (!superblock.hasMetadataChecksums) return;
  const wide = hasHighChecksum(bytes, superblock);
  const crc = inodeChecksum(bytes, superblock, number);
  const expected = wide ? crc : crc & 0xffff;
  const found = readU16(bytes, 0x7c) + (wide ? readU16(bytes, 0x82) * 0x10000 : 0);
  if (found !== expected)
    throw new CorruptFilesystemError('inode checksum', { inode: number, expected, found });
}

/** Start of the checksums of everything that belongs to one inode: directory blocks, extent blocks, htree nodes. */
export function inodeChecksumSeed(superblock: Superblock, number: number, generation: number): number {
  return crc32cU32(crc32cU32(superblock.checksumSeed, number), generation);
}

function inodeChecksum(bytes: Uint8Array, superblock: Superblock, number: number): number {
  let crc = inodeChecksumSeed(superblock, number, readU32(bytes, 0x64));
  crc = crc32cZeros(crc32c(crc, bytes, 0, 0x7c), 2);
  crc = crc32c(crc, bytes, 0x7e, GOOD_OLD_INODE_BYTES);
  if (superblock.inodeSize <= GOOD_OLD_INODE_BYTES) return crc;
  crc = crc32c(crc, bytes, GOOD_OLD_INODE_BYTES, 0x82);
  return hasHighChecksum(bytes, superblock)
    ? crc32c(crc32cZeros(crc, 2), bytes, 0x84, superblock.inodeSize)
    : crc32c(crc, bytes, 0x82, superblock.inodeSize);
}

function hasHighChecksum(bytes: Uint8Array, superblock: Superblock): boolean {
  return superblock.inodeSize > GOOD_OLD_INODE_BYTES && readU16(bytes, 0x80) >= 4;
}

/** Sizes of directories have a high half only with large_dir: before, the field was for something else. */
function hasLargeSize(mode: number, { featureIncompat }: Superblock): boolean {
  const type = mode & S_IFMT;
  return type === S_IFREG || (type === S_IFDIR && (featureIncompat & Incompat.large_dir) !== 0);
}

function extraIsizeOf(bytes: Uint8Array, superblock: Superblock): number {
  if (superblock.inodeSize <= GOOD_OLD_INODE_BYTES) return 0;
  const extraIsize = readU16(bytes, 0x80);
  if (extraIsize % 4 !== 0 || GOOD_OLD_INODE_BYTES + extraIsize > superblock.inodeSize) {
    throw new CorruptFilesystemError('extra size of an inode', {
      extraIsize,
      inodeSize: superblock.inodeSize,
    });
  }
  return extraIsize;
}

/** Whether the 4-byte field at `offset` lies within the extra bytes this inode has. */
function fits(offset: number, extraIsize: number): boolean {
  return offset + 4 <= GOOD_OLD_INODE_BYTES + extraIsize;
}

/** Two bits of `extra` lengthen the signed seconds to the year 2446; the other thirty are nanoseconds. */
function readTime(bytes: Uint8Array, offset: number, extraOffset: number | undefined): bigint {
  const seconds = readI32(bytes, offset);
  if (extraOffset === undefined) return BigInt(seconds) * 1_000_000_000n;
  const extra = readU32(bytes, extraOffset);
  return BigInt(seconds + (extra & 3) * 0x1_0000_0000) * 1_000_000_000n + BigInt(extra >>> 2);
}

function writeTime(bytes: Uint8Array, offset: number, extraOffset: number | undefined, timeNs: bigint): void {
  const { seconds, fraction } = splitTime(timeNs);
  writeU32(bytes, offset, seconds | 0);
  if (extraOffset === undefined) return;
  const epoch = Math.floor((seconds - (seconds | 0)) / 0x1_0000_0000) & 3;
  writeU32(bytes, extraOffset, ((fraction << 2) | epoch) >>> 0);
}

interface SplitTime {
  readonly timeNs: bigint;
  readonly seconds: number;
  readonly fraction: number;
}

/** The times of one inode are often the same. */
let lastSplit: SplitTime = { timeNs: 0n, seconds: 0, fraction: 0 };

function splitTime(timeNs: bigint): SplitTime {
  if (timeNs === lastSplit.timeNs) return lastSplit;
  const rest = Number(timeNs % NS_PER_SECOND);
  const seconds = Number(timeNs / NS_PER_SECOND);
  lastSplit =
    rest < 0
      ? { timeNs, seconds: seconds - 1, fraction: rest + 1_000_000_000 }
      : { timeNs, seconds, fraction: rest };
  return lastSplit;
}
