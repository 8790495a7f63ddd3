import { readU16BE, readU32BE, readU64BE } from '../../bytes/big-endian';
import { readU8 } from '../../bytes/little-endian';
import { CorruptFilesystemError } from '../errors';
import { isUuidAt, verifyChecksum } from './block-stamp';
import type { Superblock } from './superblock';

const INODE_MAGIC = 0x494e;
const CRC_OFFSET = 100;
const NUMBER_OFFSET = 152;
const UUID_OFFSET = 160;
/** Where the forks begin: version 3 inodes have a longer core. */
const FORKS_OFFSET_V2 = 100;
const FORKS_OFFSET_V3 = 176;

/** Bits of di_flags and di_flags2 (kernel xfs_format.h). */
export const InodeFlag = { REALTIME: 0x1, IMMUTABLE: 0x8, APPEND: 0x10 } as const;
const Flag2 = { BIGTIME: 0x8, NREXT64: 0x10 } as const;

/** How a fork keeps what it is about. */
export const ForkFormat = { DEVICE: 0, LOCAL: 1, EXTENTS: 2, BTREE: 3 } as const;

/** The data or the attributes of a file, as far as they are in the inode. */
export interface Fork {
  readonly format: number;
  /** The bytes themselves, the extents, or the root of the tree of extents. */
  readonly bytes: Uint8Array;
  readonly extentCount: number;
}

/** One inode (struct xfs_dinode). Its forks are views of the bytes it was parsed from. */
export interface Inode {
  readonly number: number;
  /** Type and permission bits. */
  readonly mode: number;
  readonly sizeBytes: number;
  readonly flags: number;
  readonly data: Fork;
  readonly attributes: Fork | undefined;
}

/** Offsets of the fields of an inode that lstat(2) shows, for who wants them without the rest. */
export const InodeField = {
  mode: 2,
  version: 4,
  linksOfVersion1: 6,
  uid: 8,
  gid: 12,
  links: 16,
  mtime: 40,
  ctime: 48,
  size: 56,
  flags: 90,
} as const;

/**
 * @param bytes the whole inode
 * @throws CorruptFilesystemError when it is not this inode, in use, or does not hold together
 */
export function verifyInode(bytes: Uint8Array, superblock: Superblock, number: number): void {
  const version = readU8(bytes, InodeField.version);
  const isVersion3 = version === 3;
  if (readU16BE(bytes, 0) !== INODE_MAGIC || isVersion3 !== superblock.hasStamps || version > 3) {
    throw new CorruptFilesystemError('no inode where one should be', { inode: number, version });
  }
  if (isVersion3) {
    verifyChecksum(bytes, CRC_OFFSET, 'inode checksum', number);
    if (
      readU64BE(bytes, NUMBER_OFFSET) !== number ||
      !isUuidAt(bytes, UUID_OFFSET, superblock.metadataUuid)
    ) {
      throw new CorruptFilesystemError("inode in another's place", { inode: number });
    }
  }
  if (readU16BE(bytes, InodeField.mode) === 0) {
    throw new CorruptFilesystemError('inode that is not in use', { inode: number });
  }
}

/** @throws CorruptFilesystemError when the forks do not fit */
export function parseInode(bytes: Uint8Array, superblock: Superblock, number: number): Inode {
  const { inodeSize } = superblock;
  const start = forksOffset(bytes);
  const attributesAt = readU8(bytes, 82) * 8;
  if (start + attributesAt >= inodeSize) {
    throw new CorruptFilesystemError('forks of an inode', { inode: number, attributesAt });
  }
  const hasLargeCounts = superblock.hasStamps && (readU32BE(bytes, 124) & Flag2.NREXT64) !== 0;
  const hasAttributes = attributesAt !== 0;
  return {
    number,
    mode: readU16BE(bytes, InodeField.mode),
    sizeBytes: readU64BE(bytes, InodeField.size),
    flags: readU16BE(bytes, InodeField.flags),
    data: {
      format: readU8(bytes, 5),
      bytes: bytes.subarray(start, hasAttributes ? start + attributesAt : inodeSize),
      extentCount: hasLargeCounts ? readU64BE(bytes, 24) : readU32BE(bytes, 76),
    },
    attributes: hasAttributes
      ? {
          format: readU8(bytes, 83),
          bytes: bytes.subarray(start + attributesAt, inodeSize),
          extentCount: hasLargeCounts ? readU32BE(bytes, 76) : readU16BE(bytes, 80),
        }
      : undefined,
  };
}

/** Where the forks of an inode begin; a device's number stands there. */
export function forksOffset(bytes: Uint8Array): number {
  return readU8(bytes, InodeField.version) === 3 ? FORKS_OFFSET_V3 : FORKS_OFFSET_V2;
}

/** Whether the times of an inode are in the form that lasts until 2486. */
export function hasBigTimes(bytes: Uint8Array): boolean {
  return readU8(bytes, InodeField.version) === 3 && (readU32BE(bytes, 124) & Flag2.BIGTIME) !== 0;
}
