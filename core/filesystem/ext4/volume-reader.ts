import type { ByteRange, SyncReader } from '../../block-device/block-device';
import { CorruptFilesystemError } from '../errors';
import { descriptorOffsetBytes } from './descriptor-location';
import {
  INODE_UNINIT,
  parseGroupDescriptor,
  verifyGroupDescriptor,
  type GroupDescriptor,
} from './group-descriptor';
import { parseInode, verifyInode, type Inode } from './inode';
import type { Superblock } from './superblock';

/**
 * Blocks, descriptors and inodes of a volume, over bytes that are there at once: a FaultingCache, or a transaction on
 * it. Everything asked for is checked against the geometry first, so that a pointer of a damaged or hostile image
 * throws CorruptFilesystemError.
 */
export class VolumeReader {
  private readonly descriptors = new Map<number, GroupDescriptor>();

  constructor(
    readonly source: SyncReader,
    readonly superblock: Superblock,
  ) {}

  /** One filesystem block. Not to be changed by the caller. */
  block(number: number): Uint8Array {
    this.checkBlocks(number, 1);
    return this.source.read(number * this.superblock.blockSize, this.superblock.blockSize);
  }

  /** @throws CorruptFilesystemError unless all of the blocks are within the volume */
  checkBlocks(first: number, count: number): void {
    const { firstDataBlock, blocksCount } = this.superblock;
    if (first < firstDataBlock || first === 0 || first + count > blocksCount) {
      throw new CorruptFilesystemError('block number outside the volume', { first, count, blocksCount });
    }
  }

  /** Read once and kept: make a new VolumeReader after descriptors have changed. */
  descriptor(group: number): GroupDescriptor {
    const known = this.descriptors.get(group);
    if (known) return known;
    const { superblock } = this;
    if (group < 0 || group >= superblock.groupCount) {
      throw new CorruptFilesystemError('group number outside the volume', { group });
    }
    const bytes = this.source.read(descriptorOffsetBytes(superblock, group), superblock.descriptorSize);
    verifyGroupDescriptor(bytes, superblock, group);
    const descriptor = parseGroupDescriptor(bytes, superblock);
    this.checkBlocks(descriptor.blockBitmap, 1);
    this.checkBlocks(descriptor.inodeBitmap, 1);
    this.checkBlocks(descriptor.inodeTable, superblock.inodeTableBlocksPerGroup);
    this.descriptors.set(group, descriptor);
    return descriptor;
  }

  /** Where an inode stands, in bytes of the volume. */
  inodeOffsetBytes(number: number): number {
    const { inodesCount, inodesPerGroup, blockSize, inodeSize } = this.superblock;
    if (!Number.isInteger(number) || number < 1 || number > inodesCount) {
      throw new CorruptFilesystemError('inode number outside the volume', { inode: number, inodesCount });
    }
    const index = (number - 1) % inodesPerGroup;
    const { inodeTable } = this.descriptor((number - 1 - index) / inodesPerGroup);
    return inodeTable * blockSize + index * inodeSize;
  }

  /** The bytes of one inode, checksum verified. Not to be changed by the caller. */
  inodeBytes(number: number): Uint8Array {
    const bytes = this.source.read(this.inodeOffsetBytes(number), this.superblock.inodeSize);
    verifyInode(bytes, this.superblock, number);
    return bytes;
  }

  inode(number: number): Inode {
    return parseInode(this.inodeBytes(number), this.superblock);
  }

  /** How many inodes at the start of a group's table were ever used. */
  usedInodes(group: number): number {
    const { superblock } = this;
    const { flags, itableUnused } = this.descriptor(group);
    if (!superblock.hasMetadataChecksums && !superblock.hasGroupChecksums) return superblock.inodesPerGroup;
    if (flags & INODE_UNINIT) return 0;
    if (itableUnused > superblock.inodesPerGroup) {
      throw new CorruptFilesystemError('count of unused inodes', { group, itableUnused });
    }
    return superblock.inodesPerGroup - itableUnused;
  }

  /** The part of a group's inode table that was ever used. */
  inodeTableRange(group: number): ByteRange {
    const { blockSize, inodeSize } = this.superblock;
    return {
      offsetBytes: this.descriptor(group).inodeTable * blockSize,
      lengthBytes: this.usedInodes(group) * inodeSize,
    };
  }
}
