import { joinU64, highU32, lowU32, readU16, readU32, writeU16, writeU32 } from '../../bytes/little-endian';
import { CorruptFilesystemError } from '../errors';
import { crc16, CRC16_START, crc32c, crc32cU32, crc32cZeros } from '../../bytes/checksum';
import { Incompat } from './features';
import type { Superblock } from './superblock';

/** Bits of `flags`. */
export const INODE_UNINIT = 0x1;
export const BLOCK_UNINIT = 0x2;

/** One block group's descriptor (kernel Documentation/filesystems/ext4/group_descr.rst). */
export interface GroupDescriptor {
  readonly blockBitmap: number;
  readonly inodeBitmap: number;
  readonly inodeTable: number;
  readonly freeBlocksCount: number;
  readonly freeInodesCount: number;
  readonly usedDirsCount: number;
  readonly flags: number;
  /** Inodes at the end of the table that were never used. */
  readonly itableUnused: number;
  /** 32 bits with 64-byte descriptors, else the low 16. */
  readonly blockBitmapChecksum: number;
  readonly inodeBitmapChecksum: number;
  readonly checksum: number;
}

/** @param bytes exactly one descriptor, superblock.descriptorSize long */
export function parseGroupDescriptor(bytes: Uint8Array, superblock: Superblock): GroupDescriptor {
  const wide = isWide(superblock);
  const high16 = (offset: number): number => (wide ? readU16(bytes, offset) * 0x10000 : 0);
  const high32 = (offset: number): number => (wide ? readU32(bytes, offset) : 0);
  return {
    blockBitmap: joinU64(high32(0x20), readU32(bytes, 0x0)),
    inodeBitmap: joinU64(high32(0x24), readU32(bytes, 0x4)),
    inodeTable: joinU64(high32(0x28), readU32(bytes, 0x8)),
    freeBlocksCount: readU16(bytes, 0xc) + high16(0x2c),
    freeInodesCount: readU16(bytes, 0xe) + high16(0x2e),
    usedDirsCount: readU16(bytes, 0x10) + high16(0x30),
    flags: readU16(bytes, 0x12),
    itableUnused: readU16(bytes, 0x1c) + high16(0x32),
    blockBitmapChecksum: readU16(bytes, 0x18) + high16(0x38),
    inodeBitmapChecksum: readU16(bytes, 0x1a) + high16(0x3a),
    checksum: readU16(bytes, 0x1e),
  };
}

/** Puts every field but the checksum into `bytes`, then renews the checksum for group number `group`. */
export function writeGroupDescriptor(
  bytes: Uint8Array,
  descriptor: GroupDescriptor,
  superblock: Superblock,
  group: number,
): void {
  const wide = isWide(superblock);
  const put16 = (low: number, high: number, value: number): void => {
    writeU16(bytes, low, value & 0xffff);
    if (wide) writeU16(bytes, high, value >>> 16);
  };
  const put32 = (low: number, high: number, value: number): void => {
    writeU32(bytes, low, lowU32(value));
    if (wide) writeU32(bytes, high, highU32(value));
  };
  put32(0x0, 0x20, descriptor.blockBitmap);
  put32(0x4, 0x24, descriptor.inodeBitmap);
  put32(0x8, 0x28, descriptor.inodeTable);
  put16(0xc, 0x2c, descriptor.freeBlocksCount);
  put16(0xe, 0x2e, descriptor.freeInodesCount);
  put16(0x10, 0x30, descriptor.usedDirsCount);
  writeU16(bytes, 0x12, descriptor.flags);
  put16(0x18, 0x38, descriptor.blockBitmapChecksum);
  put16(0x1a, 0x3a, descriptor.inodeBitmapChecksum);
  put16(0x1c, 0x32, descriptor.itableUnused);
  if (superblock.hasMetadataChecksums || superblock.hasGroupChecksums) {
    writeU16(bytes, 0x1e, groupDescriptorChecksum(bytes, superblock, group));
  }
}

/** CRC-32C cut to 16 bits with metadata_csum, else the CRC-16 of gdt_csum (uninit_bg). */
function groupDescriptorChecksum(bytes: Uint8Array, superblock: Superblock, group: number): number {
  const size = superblock.descriptorSize;
  if (superblock.hasMetadataChecksums) {
    let crc = crc32cU32(superblock.checksumSeed, group);
    crc = crc32cZeros(crc32c(crc, bytes, 0, 0x1e), 2);
    return crc32c(crc, bytes, 0x20, size) & 0xffff;
  }
  const number = new Uint8Array(4);
  writeU32(number, 0, group);
  const crc = crc16(crc16(crc16(CRC16_START, superblock.uuid), number), bytes, 0, 0x1e);
  const is64Bit = (superblock.featureIncompat & Incompat['64bit']) !== 0;
  return is64Bit ? crc16(crc, bytes, 0x20, size) : crc;
}

/** @throws CorruptFilesystemError */
export function verifyGroupDescriptor(bytes: Uint8Array, superblock: Superblock, group: number): void {
  if (!superblock.hasMetadataChecksums && !superblock.hasGroupChecksums) return;
  const expected = groupDescriptorChecksum(bytes, superblock, group);
  const found = readU16(bytes, 0x1e);
  if (found !== expected)
    throw new CorruptFilesystemError('group descriptor checksum', { group, expected, found });
}

/**
 * Checksum of one bitmap as its descriptor keeps it: 32 bits, or 16 with 32-byte descriptors.
 * @param bits how many bits of the bitmap count: clusters or inodes per group
 */
export function bitmapChecksum(bitmap: Uint8Array, bits: number, superblock: Superblock): number {
  const crc = crc32c(superblock.checksumSeed, bitmap, 0, bits >>> 3);
  return isWide(superblock) ? crc : crc & 0xffff;
}

function isWide(superblock: Superblock): boolean {
  return superblock.descriptorSize >= 64;
}
