import { writeU16, writeU32 } from '../../core/bytes/little-endian';
import { parseSuperblock, writeSuperblock, type Superblock } from '../../core/filesystem/ext4/superblock';

export interface SuperblockFixture {
  readonly blockSize?: number;
  readonly inodeSize?: number;
  readonly compat?: number;
  readonly incompat?: number;
  readonly roCompat?: number;
  readonly groups?: number;
  readonly descriptorSize?: number;
}

/** The 1024 bytes of a plausible superblock, for tests of codecs that need one and no disk. */
export function superblockBytes({
  blockSize = 4096,
  inodeSize = 256,
  compat = 0x3c,
  incompat = 0x2c2,
  roCompat = 0x46b,
  groups = 4,
  descriptorSize = 64,
}: SuperblockFixture = {}): Uint8Array {
  const bytes = new Uint8Array(1024);
  const [inodesPerGroup, blocksPerGroup] = [2048, blockSize * 8];
  const firstDataBlock = blockSize === 1024 ? 1 : 0;
  writeU32(bytes, 0x0, inodesPerGroup * groups);
  writeU32(bytes, 0x4, firstDataBlock + blocksPerGroup * groups);
  writeU32(bytes, 0x14, firstDataBlock);
  writeU32(bytes, 0x18, Math.log2(blockSize / 1024));
  writeU32(bytes, 0x1c, Math.log2(blockSize / 1024));
  writeU32(bytes, 0x20, blocksPerGroup);
  writeU32(bytes, 0x24, blocksPerGroup);
  writeU32(bytes, 0x28, inodesPerGroup);
  writeU16(bytes, 0x38, 0xef53);
  writeU32(bytes, 0x4c, 1);
  writeU32(bytes, 0x54, 11);
  writeU16(bytes, 0x58, inodeSize);
  writeU32(bytes, 0x5c, compat);
  writeU32(bytes, 0x60, incompat);
  writeU32(bytes, 0x64, roCompat);
  bytes.set(Buffer.from('a1b2c3d4e5f60718293a4b5c6d7e8f90', 'hex'), 0x68);
  bytes.set(Buffer.from('label'), 0x78);
  writeU16(bytes, 0xfe, descriptorSize);
  writeSuperblock(bytes, {});
  return bytes;
}

export function superblockFixture(fixture: SuperblockFixture = {}): Superblock {
  return parseSuperblock(superblockBytes(fixture));
}
