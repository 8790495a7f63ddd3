import { CorruptFilesystemError } from '../errors';
import {
  highU32,
  joinU64,
  lowU32,
  readU16,
  readU32,
  readU8,
  writeU16,
  writeU32,
} from '../../bytes/little-endian';
import { decodeName } from '../../bytes/names';
import { crc32c, CRC32C_START } from '../../bytes/checksum';
import { Incompat, RoCompat, type FeatureWords } from './features';

/** Where the primary superblock stands, whatever the block size. */
export const SUPERBLOCK_OFFSET_BYTES = 1024;
export const SUPERBLOCK_BYTES = 1024;
const SUPERBLOCK_MAGIC = 0xef53;

/** mke2fs makes no smaller groups; a hostile superblock with tiny ones would ask for millions of descriptors. */
const MIN_BLOCKS_PER_GROUP = 256;

/** Bits of `state`. */
export const STATE_CLEAN = 0x1;
export const STATE_ERRORS = 0x2;

/** Bit of `flags`: `char` counted as unsigned when directory hashes were made. */
export const FLAG_UNSIGNED_HASH = 0x2;

/** The ext4 superblock (kernel Documentation/filesystems/ext4/super.rst). Block numbers and counts are in filesystem blocks. */
export interface Superblock extends FeatureWords {
  readonly inodesCount: number;
  readonly blocksCount: number;
  readonly reservedBlocksCount: number;
  readonly freeBlocksCount: number;
  readonly freeInodesCount: number;
  /** 1 when blocks are 1 KiB, else 0. */
  readonly firstDataBlock: number;
  readonly blockSize: number;
  readonly clusterSize: number;
  readonly blocksPerGroup: number;
  readonly clustersPerGroup: number;
  readonly inodesPerGroup: number;
  readonly writeTime: number;
  readonly state: number;
  readonly revision: number;
  readonly firstInode: number;
  readonly inodeSize: number;
  readonly uuid: Uint8Array;
  readonly label: string;
  readonly journalUuid: Uint8Array;
  readonly journalInode: number;
  readonly lastOrphan: number;
  /** Four 32-bit words. */
  readonly hashSeed: readonly number[];
  readonly defaultHashVersion: number;
  /** 32, or what the 64bit feature says. */
  readonly descriptorSize: number;
  readonly firstMetaBlockGroup: number;
  readonly wantExtraIsize: number;
  readonly flags: number;
  /** Of multiple mount protection. */
  readonly mmpBlock: number;
  readonly groupsPerFlex: number;
  readonly reservedGdtBlocks: number;
  readonly overheadBlocks: number;
  /** The only groups but the first that have a copy of the superblock, with sparse_super2; 0 for none. */
  readonly backupGroups: readonly [number, number];
  readonly checksumType: number;
  readonly orphanFileInode: number;
  readonly groupCount: number;
  readonly inodeTableBlocksPerGroup: number;
  /** Start of every metadata checksum: s_checksum_seed, or the CRC-32C of the UUID. */
  readonly checksumSeed: number;
  readonly hasMetadataChecksums: boolean;
  readonly hasGroupChecksums: boolean;
}

/** The fields that a writer may change. */
export type SuperblockChanges = Partial<
  Pick<
    Superblock,
    | 'freeBlocksCount'
    | 'freeInodesCount'
    | 'writeTime'
    | 'state'
    | 'lastOrphan'
    | 'featureIncompat'
    | 'featureRoCompat'
  >
>;

/**
 * @param bytes the 1024 bytes at SUPERBLOCK_OFFSET_BYTES
 * @throws CorruptFilesystemError when the geometry is impossible. Checksum and features are checked by others.
 */
export function parseSuperblock(bytes: Uint8Array): Superblock {
  if (readU16(bytes, 0x38) !== SUPERBLOCK_MAGIC) throw new CorruptFilesystemError('no ext4 superblock magic');
  const featureIncompat = readU32(bytes, 0x60);
  const featureRoCompat = readU32(bytes, 0x64);
  const is64Bit = (featureIncompat & Incompat['64bit']) !== 0;
  const high = (offset: number): number => (is64Bit ? readU32(bytes, offset) : 0);
  const logBlockSize = readU32(bytes, 0x18);
  const logClusterSize = readU32(bytes, 0x1c);
  if (logBlockSize > 6) throw new CorruptFilesystemError('block size', { logBlockSize });
  const blockSize = 1024 << logBlockSize;
  const revision = readU32(bytes, 0x4c);
  const uuid = bytes.slice(0x68, 0x78);
  const superblock = {
    featureCompat: readU32(bytes, 0x5c),
    featureIncompat,
    featureRoCompat,
    inodesCount: readU32(bytes, 0x0),
    blocksCount: joinU64(high(0x150), readU32(bytes, 0x4)),
    reservedBlocksCount: joinU64(high(0x154), readU32(bytes, 0x8)),
    freeBlocksCount: joinU64(high(0x158), readU32(bytes, 0xc)),
    freeInodesCount: readU32(bytes, 0x10),
    firstDataBlock: readU32(bytes, 0x14),
    blockSize,
    clusterSize: logClusterSize <= 20 ? 1024 * 2 ** logClusterSize : 0,
    blocksPerGroup: readU32(bytes, 0x20),
    clustersPerGroup: readU32(bytes, 0x24),
    inodesPerGroup: readU32(bytes, 0x28),
    writeTime: readU32(bytes, 0x30),
    state: readU16(bytes, 0x3a),
    revision,
    firstInode: revision === 0 ? 11 : readU32(bytes, 0x54),
    inodeSize: revision === 0 ? 128 : readU16(bytes, 0x58),
    uuid,
    label: cString(bytes, 0x78, 16),
    reservedGdtBlocks: readU16(bytes, 0xce),
    journalUuid: bytes.slice(0xd0, 0xe0),
    journalInode: readU32(bytes, 0xe0),
    lastOrphan: readU32(bytes, 0xe8),
    hashSeed: [0xec, 0xf0, 0xf4, 0xf8].map((offset) => readU32(bytes, offset)),
    defaultHashVersion: readU8(bytes, 0xfc),
    descriptorSize: is64Bit ? readU16(bytes, 0xfe) : 32,
    firstMetaBlockGroup: readU32(bytes, 0x104),
    wantExtraIsize: readU16(bytes, 0x15e),
    flags: readU32(bytes, 0x160),
    mmpBlock: joinU64(readU32(bytes, 0x16c), readU32(bytes, 0x168)),
    groupsPerFlex: readU8(bytes, 0x174) < 31 ? 1 << readU8(bytes, 0x174) : 1,
    checksumType: readU8(bytes, 0x175),
    overheadBlocks: readU32(bytes, 0x248),
    backupGroups: [readU32(bytes, 0x24c), readU32(bytes, 0x250)] as const,
    orphanFileInode: readU32(bytes, 0x280),
    checksumSeed:
      featureIncompat & Incompat.metadata_csum_seed ? readU32(bytes, 0x270) : crc32c(CRC32C_START, uuid),
    hasMetadataChecksums: (featureRoCompat & RoCompat.metadata_csum) !== 0,
    hasGroupChecksums: (featureRoCompat & RoCompat.uninit_bg) !== 0,
  };
  checkGeometry(superblock);
  return {
    ...superblock,
    groupCount: Math.ceil((superblock.blocksCount - superblock.firstDataBlock) / superblock.blocksPerGroup),
    inodeTableBlocksPerGroup: Math.ceil((superblock.inodesPerGroup * superblock.inodeSize) / blockSize),
  };
}

/** Puts the changed fields into the 1024 bytes and renews the checksum when there is one. All else stays as it is. */
export function writeSuperblock(bytes: Uint8Array, changes: SuperblockChanges): void {
  if (changes.freeBlocksCount !== undefined) {
    writeU32(bytes, 0xc, lowU32(changes.freeBlocksCount));
    if (readU32(bytes, 0x60) & Incompat['64bit']) writeU32(bytes, 0x158, highU32(changes.freeBlocksCount));
  }
  if (changes.freeInodesCount !== undefined) writeU32(bytes, 0x10, changes.freeInodesCount);
  if (changes.writeTime !== undefined) writeU32(bytes, 0x30, changes.writeTime);
  if (changes.state !== undefined) writeU16(bytes, 0x3a, changes.state);
  if (changes.featureIncompat !== undefined) writeU32(bytes, 0x60, changes.featureIncompat);
  if (changes.featureRoCompat !== undefined) writeU32(bytes, 0x64, changes.featureRoCompat);
  if (changes.lastOrphan !== undefined) writeU32(bytes, 0xe8, changes.lastOrphan);
  if (readU32(bytes, 0x64) & RoCompat.metadata_csum) writeU32(bytes, 0x3fc, superblockChecksum(bytes));
}

function superblockChecksum(bytes: Uint8Array): number {
  return crc32c(CRC32C_START, bytes, 0, 0x3fc);
}

/** @throws CorruptFilesystemError */
export function verifySuperblock(bytes: Uint8Array): void {
  if ((readU32(bytes, 0x64) & RoCompat.metadata_csum) === 0) return;
  const expected = superblockChecksum(bytes);
  const found = readU32(bytes, 0x3fc);
  if (found !== expected) throw new CorruptFilesystemError('superblock checksum', { expected, found });
}

function checkGeometry(superblock: Omit<Superblock, 'groupCount' | 'inodeTableBlocksPerGroup'>): void {
  const { blockSize, inodeSize, descriptorSize, inodesPerGroup, blocksPerGroup } = superblock;
  const wrong = (what: string, value: number): never => {
    throw new CorruptFilesystemError(`superblock: impossible ${what}`, { value, blockSize });
  };
  if (inodeSize < 128 || inodeSize > blockSize || (inodeSize & (inodeSize - 1)) !== 0)
    wrong('inode size', inodeSize);
  if (descriptorSize < 32 || descriptorSize > blockSize || (descriptorSize & (descriptorSize - 1)) !== 0)
    wrong('descriptor size', descriptorSize);
  if (inodesPerGroup < blockSize / inodeSize || inodesPerGroup > blockSize * 8)
    wrong('inodes per group', inodesPerGroup);
  const isClustered = (superblock.featureRoCompat & RoCompat.bigalloc) !== 0;
  const isPossible = isClustered ? superblock.clusterSize >= blockSize : superblock.clusterSize === blockSize;
  if (!isPossible) wrong('cluster size', superblock.clusterSize);
  const clusterBlocks = superblock.clusterSize / blockSize;
  if (blocksPerGroup < MIN_BLOCKS_PER_GROUP || blocksPerGroup > blockSize * 8 * clusterBlocks)
    wrong('blocks per group', blocksPerGroup);
  if (superblock.clustersPerGroup * clusterBlocks !== blocksPerGroup)
    wrong('clusters per group', superblock.clustersPerGroup);
  if (superblock.firstDataBlock !== (blockSize === 1024 && clusterBlocks === 1 ? 1 : 0))
    wrong('first data block', superblock.firstDataBlock);
  if (superblock.blocksCount <= superblock.firstDataBlock) wrong('block count', superblock.blocksCount);
  const groups = Math.ceil((superblock.blocksCount - superblock.firstDataBlock) / blocksPerGroup);
  if (superblock.inodesCount !== groups * inodesPerGroup) wrong('inode count', superblock.inodesCount);
  if (superblock.firstInode < 11 || superblock.firstInode > superblock.inodesCount)
    wrong('first inode', superblock.firstInode);
}

function cString(bytes: Uint8Array, offset: number, lengthBytes: number): string {
  const field = bytes.subarray(offset, offset + lengthBytes);
  const end = field.indexOf(0);
  return decodeName(end < 0 ? field : field.subarray(0, end));
}
