import { CorruptFilesystemError } from '../../errors';
import { descriptorOffsetBytes } from '../descriptor-location';
import {
  bitmapChecksum,
  BLOCK_UNINIT,
  type GroupDescriptor,
  INODE_UNINIT,
  parseGroupDescriptor,
  verifyGroupDescriptor,
  writeGroupDescriptor,
} from '../group-descriptor';
import type { Superblock } from '../superblock';
import { clearBits, countSetBits, nextClearBit, nextSetBit, setBits } from './bitmap';
import { blocksInGroup, firstBlockOfGroup, flexGroupRange, superblockCopyBlocks } from './geometry';
import type { VolumeEdit } from './volume-edit';
import type { BlockSpan } from './write-session';

/** Verified as a bitmap, by this checksum: below what directory blocks are verified as. */
const bitmapPurpose = (checksum: number): number => -1 - checksum;

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/**
 * One block group within an operation. Bitmaps of groups that were never used (BLOCK_UNINIT, INODE_UNINIT) are worked
 * out when they are looked at and written only when something is taken.
 */
export class GroupEdit {
  readonly descriptor: Mutable<GroupDescriptor>;
  isChanged = false;
  private readonly superblock: Superblock;
  private blocks: Uint8Array | undefined;
  private inodes: Uint8Array | undefined;
  private blocksChanged = false;
  private inodesChanged = false;

  constructor(
    private readonly volume: VolumeEdit,
    readonly number: number,
  ) {
    this.superblock = volume.superblock;
    const bytes = volume.readBytes(
      descriptorOffsetBytes(this.superblock, number),
      this.superblock.descriptorSize,
    );
    verifyGroupDescriptor(bytes, this.superblock, number);
    this.descriptor = parseGroupDescriptor(bytes, this.superblock);
    this.assertDescriptor();
  }

  get firstBlock(): number {
    return firstBlockOfGroup(this.superblock, this.number);
  }

  get blockCount(): number {
    return blocksInGroup(this.superblock, this.number);
  }

  /** Which blocks of the group are in use. Not to be changed by the caller. */
  blockBitmap(): Uint8Array {
    this.blocks ??= this.has(BLOCK_UNINIT)
      ? this.freshBlockBitmap()
      : this.readBitmap(
          this.descriptor.blockBitmap,
          this.superblock.clustersPerGroup,
          this.descriptor.blockBitmapChecksum,
        );
    return this.blocks;
  }

  /** Which inodes of the group are in use. Not to be changed by the caller. */
  inodeBitmap(): Uint8Array {
    this.inodes ??= this.has(INODE_UNINIT)
      ? this.freshInodeBitmap()
      : this.readBitmap(
          this.descriptor.inodeBitmap,
          this.superblock.inodesPerGroup,
          this.descriptor.inodeBitmapChecksum,
        );
    return this.inodes;
  }

  /** Takes blocks, counted within the group, all of which must be free. */
  takeBlocks(first: number, count: number): void {
    const bitmap = this.editBlockBitmap();
    if (nextSetBit(bitmap, first, first + count) !== first + count) {
      throw new CorruptFilesystemError('blocks taken twice', { group: this.number, first, count });
    }
    setBits(bitmap, first, count);
    this.descriptor.freeBlocksCount -= count;
    this.volume.freeBlocksDelta -= count;
  }

  /** Gives blocks back, all of which must be in use and hold no structure of the volume. */
  freeBlocks(first: number, count: number): void {
    const bitmap = this.editBlockBitmap();
    if (nextClearBit(bitmap, first, first + count) !== first + count || this.holdsStructure(first, count)) {
      throw new CorruptFilesystemError('blocks freed that no file may own', {
        group: this.number,
        first,
        count,
      });
    }
    clearBits(bitmap, first, count);
    this.descriptor.freeBlocksCount += count;
    this.volume.freeBlocksDelta += count;
  }

  /** Takes an inode, counted within the group from 0. */
  takeInode(index: number, isDirectory: boolean): void {
    if (this.has(BLOCK_UNINIT)) {
      // As the kernel does it: a group whose inodes are in use has both bitmaps on the disk.
      this.editBlockBitmap();
    }
    const bitmap = this.editInodeBitmap();
    if (nextSetBit(bitmap, index, index + 1) === index) {
      throw new CorruptFilesystemError('an inode taken twice', { group: this.number, index });
    }
    setBits(bitmap, index, 1);
    this.extendTable(index);
    this.descriptor.freeInodesCount -= 1;
    this.volume.freeInodesDelta -= 1;
    if (isDirectory) {
      this.descriptor.usedDirsCount += 1;
    }
  }

  freeInode(index: number, isDirectory: boolean): void {
    const bitmap = this.editInodeBitmap();
    if (nextClearBit(bitmap, index, index + 1) === index) {
      throw new CorruptFilesystemError('an inode freed twice', { group: this.number, index });
    }
    clearBits(bitmap, index, 1);
    this.descriptor.freeInodesCount += 1;
    this.volume.freeInodesDelta += 1;
    if (isDirectory) {
      this.descriptor.usedDirsCount -= 1;
    }
  }

  /** Changes the number of directories, for an inode whose number goes from one kind to the other. */
  countDirectories(delta: number): void {
    this.isChanged = true;
    this.descriptor.usedDirsCount += delta;
  }

  save(): void {
    if (!this.isChanged) {
      return;
    }
    const { verified } = this.volume.session;
    if (this.superblock.hasMetadataChecksums && this.blocksChanged) {
      this.descriptor.blockBitmapChecksum = bitmapChecksum(
        this.blockBitmap(),
        this.superblock.clustersPerGroup,
        this.superblock,
      );
      verified.add(this.blockBitmap(), bitmapPurpose(this.descriptor.blockBitmapChecksum));
    }
    if (this.superblock.hasMetadataChecksums && this.inodesChanged) {
      this.descriptor.inodeBitmapChecksum = bitmapChecksum(
        this.inodeBitmap(),
        this.superblock.inodesPerGroup,
        this.superblock,
      );
      verified.add(this.inodeBitmap(), bitmapPurpose(this.descriptor.inodeBitmapChecksum));
    }
    const offset = descriptorOffsetBytes(this.superblock, this.number);
    const bytes = this.volume.editBytes(offset, this.superblock.descriptorSize);
    writeGroupDescriptor(bytes, this.descriptor, this.superblock, this.number);
  }

  /** First inode of the group that lies in the part of the table that was never used. */
  get usedTableInodes(): number {
    const hasMark = this.superblock.hasMetadataChecksums || this.superblock.hasGroupChecksums;
    return this.superblock.inodesPerGroup - (hasMark ? this.descriptor.itableUnused : 0);
  }

  private has(flag: number): boolean {
    // Without descriptor checksums the flags mean nothing.
    const hasFlags = this.superblock.hasMetadataChecksums || this.superblock.hasGroupChecksums;
    return hasFlags && (this.descriptor.flags & flag) !== 0;
  }

  private editBlockBitmap(): Uint8Array {
    if (!this.blocksChanged) {
      this.isChanged = true;
      this.blocksChanged = true;
      this.blocks = this.editBitmap(this.descriptor.blockBitmap, this.blockBitmap(), BLOCK_UNINIT);
    }
    return this.blockBitmap();
  }

  private editInodeBitmap(): Uint8Array {
    if (!this.inodesChanged) {
      this.isChanged = true;
      this.inodesChanged = true;
      this.inodes = this.editBitmap(this.descriptor.inodeBitmap, this.inodeBitmap(), INODE_UNINIT);
    }
    return this.inodeBitmap();
  }

  private editBitmap(block: number, current: Uint8Array, uninit: number): Uint8Array {
    if (this.has(uninit)) {
      this.volume.writeBlocks(block, current);
      this.descriptor.flags &= ~uninit;
    }
    return this.volume.editBlock(block);
  }

  /** Lowers the mark of the never used part of the table below `index`, and clears what comes into use. */
  private extendTable(index: number): void {
    const used = this.usedTableInodes;
    if (index < used) {
      return;
    }
    const { inodeSize, blockSize, inodesPerGroup } = this.superblock;
    const table = this.descriptor.inodeTable * blockSize;
    for (let fresh = used; fresh <= index; fresh += 1) {
      this.volume.editBytes(table + fresh * inodeSize, inodeSize).fill(0);
    }
    this.descriptor.itableUnused = inodesPerGroup - index - 1;
  }

  private readBitmap(block: number, bits: number, checksum: number): Uint8Array {
    const bitmap = this.volume.readBlock(block);
    const { verified } = this.volume.session;
    if (this.superblock.hasMetadataChecksums && !verified.has(bitmap, bitmapPurpose(checksum))) {
      const expected = bitmapChecksum(bitmap, bits, this.superblock);
      if (expected !== checksum) {
        throw new CorruptFilesystemError('bitmap checksum', { group: this.number, block });
      }
      verified.add(bitmap, bitmapPurpose(checksum));
    }
    return bitmap;
  }

  /** The bitmap of a group that holds nothing but structures of the volume. */
  private freshBlockBitmap(): Uint8Array {
    const bitmap = new Uint8Array(this.superblock.blockSize);
    setBits(bitmap, 0, superblockCopyBlocks(this.superblock, this.number));
    for (const [start, count] of this.structures()) {
      setBits(bitmap, start, count);
    }
    setBits(bitmap, this.blockCount, bitmap.length * 8 - this.blockCount);
    const free = this.blockCount - countSetBits(bitmap, 0, this.blockCount);
    if (free !== this.descriptor.freeBlocksCount) {
      throw new CorruptFilesystemError('free blocks of an unused group', {
        group: this.number,
        expected: free,
        found: this.descriptor.freeBlocksCount,
      });
    }
    return bitmap;
  }

  private freshInodeBitmap(): Uint8Array {
    const bitmap = new Uint8Array(this.superblock.blockSize);
    const { inodesPerGroup } = this.superblock;
    if (this.descriptor.freeInodesCount !== inodesPerGroup) {
      throw new CorruptFilesystemError('free inodes of an unused group', { group: this.number });
    }
    setBits(bitmap, inodesPerGroup, bitmap.length * 8 - inodesPerGroup);
    return bitmap;
  }

  /** Whether some of the blocks hold the superblock, descriptors, bitmaps or inode tables. */
  holdsStructure(first: number, count: number): boolean {
    if (first < superblockCopyBlocks(this.superblock, this.number) || first + count > this.blockCount) {
      return true;
    }
    return this.structures().some(([start, length]) => first < start + length && start < first + count);
  }

  /** Bitmaps and inode tables that stand in this group, its own or another's, as [start, count] within the group. */
  private structures(): readonly BlockSpan[] {
    let spans = this.volume.session.structures.get(this.number);
    if (spans === undefined) {
      spans = this.findStructures();
      this.volume.session.structures.set(this.number, spans);
    }
    return spans;
  }

  private findStructures(): BlockSpan[] {
    const [first, end] = flexGroupRange(this.superblock, this.number);
    const found: BlockSpan[] = [];
    for (let number = first; number < end; number += 1) {
      const { blockBitmap, inodeBitmap, inodeTable } =
        number === this.number ? this.descriptor : this.volume.group(number).descriptor;
      found.push(
        [blockBitmap - this.firstBlock, 1],
        [inodeBitmap - this.firstBlock, 1],
        [inodeTable - this.firstBlock, this.superblock.inodeTableBlocksPerGroup],
      );
    }
    return found
      .map(([start, count]): BlockSpan => [Math.max(start, 0), Math.min(start + count, this.blockCount)])
      .filter(([start, stop]) => start < stop)
      .map(([start, stop]): BlockSpan => [start, stop - start]);
  }

  private assertDescriptor(): void {
    const { blocksCount, firstDataBlock, inodeTableBlocksPerGroup, inodesPerGroup } = this.superblock;
    const { blockBitmap, inodeBitmap, inodeTable, freeBlocksCount, freeInodesCount, itableUnused } =
      this.descriptor;
    const isInside = (block: number, count: number): boolean =>
      block > firstDataBlock && block + count <= blocksCount;
    if (
      !isInside(blockBitmap, 1) ||
      !isInside(inodeBitmap, 1) ||
      !isInside(inodeTable, inodeTableBlocksPerGroup) ||
      freeBlocksCount > this.blockCount ||
      freeInodesCount > inodesPerGroup ||
      itableUnused > inodesPerGroup
    ) {
      throw new CorruptFilesystemError('group descriptor', { group: this.number });
    }
  }
}
