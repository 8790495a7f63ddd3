import { readU16BE, readU32BE, readU64BE } from '../../bytes/big-endian';
import { readU8 } from '../../bytes/little-endian';
import { decodeName } from '../../bytes/names';
import { CorruptFilesystemError } from '../errors';
import { verifyChecksum } from './block-stamp';
import { type FeatureWords, FTYPE_OF_VERSION_4, Incompat, VersionBit } from './features';

/** Of the first sector, as much as any version of the format uses. */
export const SUPERBLOCK_BYTES = 512;
const SUPERBLOCK_MAGIC = 0x58465342;
const CRC_OFFSET = 224;

/** Limits that the kernel holds every filesystem to (XFS_MIN_AG_BYTES, XFS_MAX_AG_BYTES). */
const MIN_GROUP_BYTES = 16 * 1024 * 1024;
const MAX_GROUP_BYTES = 2 ** 40;

/** The XFS superblock (struct xfs_dsb) as far as a reader needs it. Sizes are in bytes, counts in filesystem blocks. */
export interface Superblock extends FeatureWords {
  readonly blockSize: number;
  readonly sectorSize: number;
  readonly inodeSize: number;
  readonly directoryBlockSize: number;
  readonly blocksCount: number;
  readonly groupBlocks: number;
  readonly groupCount: number;
  /** How many low bits of a block number count within its allocation group. */
  readonly groupBlockBits: number;
  readonly inodesPerBlockBits: number;
  readonly rootInode: number;
  readonly logBlocks: number;
  readonly uuid: Uint8Array;
  /** The UUID that every metadata block carries: the one that mkfs gave, whatever `uuid` was changed to. */
  readonly metadataUuid: Uint8Array;
  readonly label: string;
  readonly featureRoCompat: number;
  /** Version 5: every metadata block carries a checksum and says where and whose it is. */
  readonly hasStamps: boolean;
  /** Directory entries carry the type of what they name. */
  readonly hasFileTypes: boolean;
  readonly hasSparseInodes: boolean;
}

/**
 * @param bytes the first sector, or as much of it as there is
 * @throws CorruptFilesystemError when the geometry is impossible. Features are checked by `checkReadable`.
 */
export function parseSuperblock(bytes: Uint8Array): Superblock {
  if (readU32BE(bytes, 0) !== SUPERBLOCK_MAGIC) throw new CorruptFilesystemError('no XFS superblock magic');
  const versionnum = readU16BE(bytes, 100);
  const version = versionnum & 0xf;
  if (version !== 4 && version !== 5) throw new CorruptFilesystemError('version of XFS', { version });
  const hasStamps = version === 5;
  const incompat = hasStamps ? readU32BE(bytes, 216) : 0;
  // Early kernels of some machines wrote the word to the place after its own.
  const features2 = versionnum & VersionBit.more ? readU32BE(bytes, 200) | readU32BE(bytes, 204) : 0;
  const uuid = bytes.slice(32, 48);
  const blockSize = readU32BE(bytes, 4);
  const superblock = {
    version,
    versionBits: versionnum & ~0xf,
    featureIncompat: incompat,
    featureRoCompat: hasStamps ? readU32BE(bytes, 212) : 0,
    blockSize,
    sectorSize: readU16BE(bytes, 102),
    inodeSize: readU16BE(bytes, 104),
    directoryBlockSize: blockSize * 2 ** readU8(bytes, 192),
    blocksCount: readU64BE(bytes, 8),
    realtimeBlocks: readU64BE(bytes, 16),
    groupBlocks: readU32BE(bytes, 84),
    groupCount: readU32BE(bytes, 88),
    groupBlockBits: readU8(bytes, 124),
    inodesPerBlockBits: readU8(bytes, 123),
    rootInode: readU64BE(bytes, 56),
    logStart: readU64BE(bytes, 48),
    logBlocks: readU32BE(bytes, 96),
    uuid,
    metadataUuid: incompat & Incompat.meta_uuid ? bytes.slice(248, 264) : uuid,
    label: labelOf(bytes.subarray(108, 120)),
    hasStamps,
    hasFileTypes: hasStamps ? (incompat & Incompat.ftype) !== 0 : (features2 & FTYPE_OF_VERSION_4) !== 0,
    hasSparseInodes: (incompat & Incompat.sparse) !== 0,
  };
  checkLogarithms(bytes, superblock);
  checkGeometry(superblock);
  if (readU8(bytes, 126) !== 0) throw new CorruptFilesystemError('mkfs did not finish');
  if ((versionnum & VersionBit.directory2) === 0) {
    throw new CorruptFilesystemError('directories of version 1, which no Linux kernel reads');
  }
  return superblock;
}

/** @param sector the whole first sector @throws CorruptFilesystemError */
export function verifySuperblock(sector: Uint8Array, superblock: Superblock): void {
  if (superblock.hasStamps) verifyChecksum(sector, CRC_OFFSET, 'superblock checksum', 0);
}

/** Sizes are kept twice, as they are and as powers of two; the kernel's limits hold for both. */
function checkLogarithms(bytes: Uint8Array, superblock: Superblock): void {
  const { blockSize, sectorSize, inodeSize, directoryBlockSize, inodesPerBlockBits } = superblock;
  const blockBits = readU8(bytes, 120);
  const inodeBits = readU8(bytes, 122);
  const isPossible =
    isPower(blockSize, blockBits, 9, 16) &&
    isPower(sectorSize, readU8(bytes, 121), 9, 15) &&
    isPower(inodeSize, inodeBits, 8, 11) &&
    sectorSize <= blockSize &&
    inodeSize <= blockSize &&
    directoryBlockSize <= 65_536 &&
    inodesPerBlockBits === blockBits - inodeBits;
  if (!isPossible) {
    throw new CorruptFilesystemError('sizes in the superblock', { blockSize, sectorSize, inodeSize });
  }
  if (superblock.hasStamps && (inodeSize < 512 || blockSize < 1024)) {
    throw new CorruptFilesystemError('sizes too small for version 5', { blockSize, inodeSize });
  }
}

function isPower(value: number, bits: number, least: number, most: number): boolean {
  return bits >= least && bits <= most && value === 2 ** bits;
}

function checkGeometry(superblock: Superblock): void {
  const { blockSize, blocksCount, groupBlocks, groupCount, groupBlockBits, logStart, logBlocks } = superblock;
  const groupBytes = groupBlocks * blockSize;
  const isPossible =
    groupBytes >= MIN_GROUP_BYTES &&
    groupBytes <= MAX_GROUP_BYTES &&
    groupBlockBits === Math.ceil(Math.log2(groupBlocks)) &&
    groupCount > 0 &&
    groupCount === Math.ceil(blocksCount / groupBlocks);
  if (!isPossible) {
    throw new CorruptFilesystemError('allocation groups', { blocksCount, groupBlocks, groupCount });
  }
  const group = Math.floor(logStart / 2 ** groupBlockBits);
  const first = group * groupBlocks + (logStart % 2 ** groupBlockBits);
  if (logStart !== 0 && (logBlocks === 0 || first + logBlocks > blocksCount)) {
    throw new CorruptFilesystemError('log outside the volume', { logStart, logBlocks });
  }
}

function labelOf(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return decodeName(bytes.subarray(0, end < 0 ? bytes.length : end));
}
