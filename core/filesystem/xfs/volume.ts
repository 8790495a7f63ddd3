import type { ByteRange } from '../../block-device/block-device';
import type { FaultingCache } from '../../block-device/faulting-cache';
import { CorruptFilesystemError } from '../errors';
import { type StampLayout, verifyStamp } from './block-stamp';
import { type Inode, parseInode, verifyInode } from './inode';
import type { Superblock } from './superblock';

/** Where an inode or a block is, or whose a block is. */
export interface BlockPlace {
  readonly offsetBytes: number;
  readonly lengthBytes: number;
  readonly owner: number;
}

/**
 * Addresses, blocks and inodes of a volume, over bytes that are there at once. Every number is checked against the
 * geometry first, so that a pointer of a damaged or hostile image throws CorruptFilesystemError.
 *
 * Block and inode numbers are the group's number and a number within the group, put together at a power of two.
 */
export class Volume {
  private readonly groupSpan: number;
  private readonly inodesPerBlock: number;

  constructor(
    readonly source: FaultingCache,
    readonly superblock: Superblock,
  ) {
    this.groupSpan = 2 ** superblock.groupBlockBits;
    this.inodesPerBlock = 2 ** superblock.inodesPerBlockBits;
  }

  /** Asks for everything of the ranges at once: one fetch in the place of many. */
  need(ranges: Iterable<ByteRange>): void {
    this.source.need(ranges);
  }

  /** Blocks of a group: all but the last are of one size. */
  groupLength(group: number): number {
    const { groupBlocks, blocksCount } = this.superblock;
    return Math.min(groupBlocks, blocksCount - group * groupBlocks);
  }

  /** Where a block of a group begins, in bytes of the volume. @throws CorruptFilesystemError unless all are within the group */
  groupOffsetBytes(group: number, block: number, blocks = 1): number {
    const { groupBlocks, groupCount, blockSize } = this.superblock;
    if (group >= groupCount || block + blocks > this.groupLength(group)) {
      throw new CorruptFilesystemError('block number outside the volume', { group, block, blocks });
    }
    return (group * groupBlocks + block) * blockSize;
  }

  /** Where a run of blocks begins. @throws CorruptFilesystemError unless all are within one group */
  blockOffsetBytes(number: number, blocks = 1): number {
    const block = number % this.groupSpan;
    return this.groupOffsetBytes((number - block) / this.groupSpan, block, blocks);
  }

  /** Group and number within the group of an inode. */
  groupOfInode(number: number): { group: number; index: number } {
    const span = this.groupSpan * this.inodesPerBlock;
    const index = number % span;
    return { group: (number - index) / span, index };
  }

  inodeNumber(group: number, index: number): number {
    return group * this.groupSpan * this.inodesPerBlock + index;
  }

  /** Where an inode stands, in bytes of the volume. */
  inodeRange(number: number): ByteRange {
    const { group, index } = this.groupOfInode(number);
    const slot = index % this.inodesPerBlock;
    const { inodeSize } = this.superblock;
    const blockOffset = this.groupOffsetBytes(group, (index - slot) / this.inodesPerBlock);
    return { offsetBytes: blockOffset + slot * inodeSize, lengthBytes: inodeSize };
  }

  /** The bytes of an inode in use, verified. Not to be changed by the caller. */
  inodeBytes(number: number): Uint8Array {
    const { offsetBytes, lengthBytes } = this.inodeRange(number);
    const bytes = this.source.read(offsetBytes, lengthBytes);
    verifyInode(bytes, this.superblock, number);
    return bytes;
  }

  inode(number: number): Inode {
    return parseInode(this.inodeBytes(number), this.superblock, number);
  }

  /** A metadata block, verified when it says what and whose it is. Not to be changed by the caller. */
  block({ offsetBytes, lengthBytes, owner }: BlockPlace, layout: StampLayout): Uint8Array {
    const bytes = this.source.read(offsetBytes, lengthBytes);
    this.verify(bytes, { offsetBytes, owner }, layout);
    return bytes;
  }

  /** Version 4 blocks say nothing that could be checked. */
  verify(bytes: Uint8Array, place: { offsetBytes: number; owner: number }, layout: StampLayout): void {
    if (!this.superblock.hasStamps) return;
    verifyStamp(bytes, layout, { ...place, uuid: this.superblock.metadataUuid });
  }
}
