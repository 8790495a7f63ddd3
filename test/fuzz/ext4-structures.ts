import { FaultingCache } from '../../core/block-device/faulting-cache';
import { MemoryBlockDevice } from '../../core/block-device/memory-block-device';
import { readU32, writeU16, writeU32 } from '../../core/bytes/little-endian';
import { crc32c, crc32cU32, crc32cZeros, CRC16_START, crc16 } from '../../core/bytes/checksum';
import { descriptorOffsetBytes } from '../../core/filesystem/ext4/descriptor-location';
import { renewDirectoryChecksum, hasDirectoryTail } from '../../core/filesystem/ext4/directory';
import { renewExtentBlockChecksum } from '../../core/filesystem/ext4/extent';
import { fileExtents, fileMapBlocks } from '../../core/filesystem/ext4/file-extents';
import { bitmapChecksum } from '../../core/filesystem/ext4/group-descriptor';
import { isHtreeNode, renewHtreeChecksum } from '../../core/filesystem/ext4/htree';
import { inodeChecksumSeed, InodeFlag, type Inode } from '../../core/filesystem/ext4/inode';
import { readSuperblock } from '../../core/filesystem/ext4/open-ext4';
import { type Superblock, writeSuperblock } from '../../core/filesystem/ext4/superblock';
import { VolumeReader } from '../../core/filesystem/ext4/volume-reader';
import { rewrite, type Structure } from './structure';

/** Blocks of the journal that are worth a change: its superblock and the first transactions. */
const JOURNAL_BLOCKS = 48;

/** Everywhere that an ext4 volume keeps numbers that lead somewhere else. */
export async function ext4Structures(bytes: Uint8Array): Promise<Structure[]> {
  const cache = new FaultingCache(MemoryBlockDevice.from(bytes));
  const superblock = await readSuperblock(cache);
  await cache.prefetch([{ offsetBytes: 0, lengthBytes: bytes.length }]);
  return cache.run(() => new Survey(bytes, superblock, new VolumeReader(cache, superblock)).structures());
}

class Survey {
  private readonly found: Structure[] = [];
  private readonly sums: boolean;

  constructor(
    private readonly bytes: Uint8Array,
    private readonly superblock: Superblock,
    private readonly volume: VolumeReader,
  ) {
    this.sums = superblock.hasMetadataChecksums;
  }

  structures(): Structure[] {
    const { superblock } = this;
    this.add('superblock', 1024, 1024, (bytes) => writeSuperblock(bytes, {}));
    for (let group = 0; group < superblock.groupCount; group++) {
      this.descriptor(group);
      for (let index = 0; index < this.volume.usedInodes(group); index++) {
        const number = group * superblock.inodesPerGroup + index + 1;
        const inode = this.volume.inode(number);
        if (inode.links > 0) this.inode(number, inode);
      }
    }
    return this.found;
  }

  private descriptor(group: number): void {
    const { superblock, volume } = this;
    const offset = descriptorOffsetBytes(superblock, group);
    const { blockBitmap, inodeBitmap } = volume.descriptor(group);
    const seal = (bytes: Uint8Array): void => sealDescriptor(bytes, superblock, group);
    this.add('group descriptor', offset, superblock.descriptorSize, seal);
    const clusters = superblock.clustersPerGroup;
    for (const [kind, block, bits, low, high] of [
      ['block bitmap', blockBitmap, clusters, 0x18, 0x38],
      ['inode bitmap', inodeBitmap, superblock.inodesPerGroup, 0x1a, 0x3a],
    ] as const) {
      this.found.push({
        kind,
        offset: block * superblock.blockSize,
        length: Math.min(superblock.blockSize, bits >>> 3),
        seal: (image) => {
          if (!this.sums) return;
          const start = block * superblock.blockSize;
          const sum = bitmapChecksum(
            image.bytes.subarray(start, start + superblock.blockSize),
            bits,
            superblock,
          );
          rewrite(image, { offset, length: superblock.descriptorSize }, (descriptor) => {
            writeU16(descriptor, low, sum & 0xffff);
            if (superblock.descriptorSize >= 64) writeU16(descriptor, high, sum >>> 16);
            seal(descriptor);
          });
        },
      });
    }
  }

  private inode(number: number, inode: Inode): void {
    const { superblock, volume } = this;
    const { blockSize } = superblock;
    const offset = volume.inodeOffsetBytes(number);
    this.add(`inode`, offset, superblock.inodeSize, (bytes) => sealInode(bytes, superblock, number));
    const seed = inodeChecksumSeed(superblock, number, readU32(this.bytes, offset + 0x64));
    if (inode.xattrBlock !== 0) {
      this.add('attribute block', inode.xattrBlock * blockSize, blockSize, (bytes) =>
        sealXattrBlock(bytes, superblock, inode.xattrBlock),
      );
    }
    const type = inode.mode >> 12;
    const isJournal = number === superblock.journalInode;
    if ((type !== 4 && type !== 8) || inode.flags & InodeFlag.INLINE_DATA) return;
    for (const block of fileMapBlocks(volume, number, inode)) {
      const isTree = (inode.flags & InodeFlag.EXTENTS) !== 0;
      this.add(isTree ? 'extent block' : 'block map', block * blockSize, blockSize, (bytes) => {
        if (isTree) renewExtentBlockChecksum(bytes, seed);
      });
    }
    if (type !== 4 && !isJournal) return;
    const blocks = fileExtents(volume, number, inode).flatMap((extent) =>
      Array.from({ length: extent.blocks }, (_, index) => extent.physicalBlock + index),
    );
    for (const [index, block] of blocks.slice(0, isJournal ? JOURNAL_BLOCKS : undefined).entries()) {
      if (isJournal) this.add(index === 0 ? 'journal superblock' : 'journal', block * blockSize, blockSize);
      else this.directoryBlock(block, seed, index === 0);
    }
  }

  private directoryBlock(number: number, seed: number, isFirst: boolean): void {
    const { blockSize } = this.superblock;
    const block = this.bytes.subarray(number * blockSize, (number + 1) * blockSize);
    const isLinear = !this.sums || hasDirectoryTail(block);
    const kind = isLinear && !isHtreeNode(block) ? 'directory block' : 'directory index';
    this.add(kind, number * blockSize, blockSize, (bytes) => {
      if (isLinear) renewDirectoryChecksum(bytes, seed);
      else renewHtreeChecksum(bytes, seed, isFirst);
    });
  }

  private add(kind: string, offset: number, length: number, seal?: (bytes: Uint8Array) => void): void {
    const structure = { kind, offset, length };
    if (seal === undefined || (!this.sums && kind !== 'group descriptor')) this.found.push(structure);
    else this.found.push({ ...structure, seal: (image) => rewrite(image, structure, seal) });
  }
}

function sealDescriptor(bytes: Uint8Array, superblock: Superblock, group: number): void {
  if (superblock.hasMetadataChecksums) {
    const crc = crc32cZeros(crc32c(crc32cU32(superblock.checksumSeed, group), bytes, 0, 0x1e), 2);
    writeU16(bytes, 0x1e, crc32c(crc, bytes, 0x20, superblock.descriptorSize) & 0xffff);
  } else if (superblock.hasGroupChecksums) {
    const number = new Uint8Array(4);
    writeU32(number, 0, group);
    const crc = crc16(crc16(crc16(CRC16_START, superblock.uuid), number), bytes, 0, 0x1e);
    writeU16(
      bytes,
      0x1e,
      superblock.descriptorSize > 32 ? crc16(crc, bytes, 0x20, superblock.descriptorSize) : crc,
    );
  }
}

/** The generation and the extra size may have been changed too: the checksum is of the inode as it is now. */
function sealInode(bytes: Uint8Array, superblock: Superblock, number: number): void {
  const size = superblock.inodeSize;
  const isWide = size > 128 && (bytes[0x80]! | (bytes[0x81]! << 8)) >= 4;
  let crc = inodeChecksumSeed(superblock, number, readU32(bytes, 0x64));
  crc = crc32cZeros(crc32c(crc, bytes, 0, 0x7c), 2);
  crc = crc32c(crc, bytes, 0x7e, 128);
  if (size > 128) {
    crc = crc32c(crc, bytes, 128, 0x82);
    crc = isWide ? crc32c(crc32cZeros(crc, 2), bytes, 0x84, size) : crc32c(crc, bytes, 0x82, size);
  }
  writeU16(bytes, 0x7c, crc & 0xffff);
  if (isWide) writeU16(bytes, 0x82, crc >>> 16);
}

function sealXattrBlock(bytes: Uint8Array, superblock: Superblock, block: number): void {
  let crc = crc32cU32(crc32cU32(superblock.checksumSeed, block), 0);
  crc = crc32cZeros(crc32c(crc, bytes, 0, 0x10), 4);
  writeU32(bytes, 0x10, crc32c(crc, bytes, 0x14));
}
