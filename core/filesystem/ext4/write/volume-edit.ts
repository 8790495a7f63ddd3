import { SNAPSHOT_BLOCK_BYTES } from '../../../block-device/block-device';
import type { Transaction } from '../../../block-device/transaction';
import { CorruptFilesystemError } from '../../errors';
import { parseSuperblock, SUPERBLOCK_BYTES, SUPERBLOCK_OFFSET_BYTES, writeSuperblock } from '../superblock';
import type { Superblock } from '../superblock';
import { VolumeReader } from '../volume-reader';
import { GroupEdit } from './group-edit';
import { InodeEdit } from './inode-edit';
import { isWithin, type WriteSession } from './write-session';

/**
 * The volume as one operation sees and changes it. Descriptors, inodes and counters are gathered in memory and written,
 * with their checksums, by `finish`: bitmaps first, then descriptors, then the superblock.
 */
export class VolumeEdit {
  /** The volume for code that only reads. Its descriptors are only good for where things stand. */
  readonly reader: VolumeReader;
  private readonly groups = new Map<number, GroupEdit>();
  private readonly inodes = new Map<number, InodeEdit>();
  private readonly dirtied = new Set<number>();
  private readonly opened = new Set<number>();
  private readonly closed = new Set<number>();
  private readonly touched = new Set<number>();
  private readonly learned = new Map<string, number>();
  private readonly forgotten: string[] = [];
  private before: Superblock | undefined;
  dataGroup: number | undefined;
  freeBlocksDelta = 0;
  freeInodesDelta = 0;

  constructor(
    private readonly transaction: Transaction,
    readonly superblock: Superblock,
    readonly session: WriteSession,
  ) {
    this.reader = new VolumeReader(transaction, superblock);
  }

  /** Filesystem blocks of one snapshot block. */
  get areaBlocks(): number {
    return SNAPSHOT_BLOCK_BYTES / this.superblock.blockSize;
  }

  /** Snapshot block of the disk in which a filesystem block stands. */
  areaOf(block: number): number {
    return this.areaOfByte(block * this.superblock.blockSize);
  }

  areaOfByte(offsetBytes: number): number {
    return Math.floor((offsetBytes + this.session.areaShiftBytes) / SNAPSHOT_BLOCK_BYTES);
  }

  /** First filesystem block that begins within the area. */
  firstBlockOfArea(area: number): number {
    const offset = area * SNAPSHOT_BLOCK_BYTES - this.session.areaShiftBytes;
    return Math.max(0, Math.ceil(offset / this.superblock.blockSize));
  }

  isDirty(area: number): boolean {
    return this.dirtied.has(area) || this.session.dirtyAreas.has(area);
  }

  /** Dirty areas that may have free blocks, the most lately touched first. */
  *openAreas(): Generator<number> {
    for (const area of [...this.opened].reverse()) {
      yield area;
    }
    for (const area of [...this.session.openAreas].reverse()) {
      if (!this.opened.has(area) && !this.closed.has(area)) {
        yield area;
      }
    }
  }

  /** The area was found to have no free block. */
  closeArea(area: number): void {
    this.opened.delete(area);
    this.closed.add(area);
  }

  /** Blocks of the area were freed: when it is dirty, they are the cheapest there are. */
  reopenArea(area: number): void {
    if (this.isDirty(area)) {
      this.closed.delete(area);
      this.opened.add(area);
    }
  }

  /** @throws CorruptFilesystemError when the number is no block of the volume */
  readBlock(block: number): Uint8Array {
    this.assertBlock(block, 1);
    return this.transaction.read(block * this.superblock.blockSize, this.superblock.blockSize);
  }

  /** A block to be changed in place. */
  editBlock(block: number): Uint8Array {
    this.assertBlock(block, 1);
    return this.editBytes(block * this.superblock.blockSize, this.superblock.blockSize);
  }

  /**
   * Writes whole blocks from `block` on; the last is filled up with zeros. Nothing is read for it.
   * @param kept nobody changes the bytes any more, and these blocks are not edited in this operation: no copy is needed
   */
  writeBlocks(block: number, bytes: Uint8Array, kept = false): void {
    const { blockSize } = this.superblock;
    const count = Math.ceil(bytes.length / blockSize);
    this.assertBlock(block, count);
    const whole = bytes.length - (bytes.length % blockSize);
    const wholeBytes = bytes.subarray(0, whole);
    if (kept) this.transaction.writeKept(block * blockSize, wholeBytes);
    else this.transaction.write(block * blockSize, wholeBytes);
    if (whole < bytes.length) {
      const last = new Uint8Array(blockSize);
      last.set(bytes.subarray(whole));
      this.transaction.write(block * blockSize + whole, last);
    }
    for (let area = this.areaOf(block); area <= this.areaOf(block + count - 1); area += 1) {
      this.markDirty(area);
    }
  }

  readBytes(offsetBytes: number, lengthBytes: number): Uint8Array {
    return this.transaction.read(offsetBytes, lengthBytes);
  }

  editBytes(offsetBytes: number, lengthBytes: number): Uint8Array {
    const bytes = this.transaction.edit(offsetBytes, lengthBytes);
    this.markDirty(this.areaOfByte(offsetBytes));
    return bytes;
  }

  /** @throws CorruptFilesystemError when there is no such group */
  group(number: number): GroupEdit {
    const known = this.groups.get(number);
    if (known !== undefined) {
      return known;
    }
    if (!Number.isInteger(number) || number < 0 || number >= this.superblock.groupCount) {
      throw new CorruptFilesystemError('a block or inode of no group', { group: number });
    }
    const group = new GroupEdit(this, number);
    this.groups.set(number, group);
    return group;
  }

  /** @throws CorruptFilesystemError when the number is no inode of the volume or its checksum does not hold */
  inode(number: number): InodeEdit {
    const known = this.inodes.get(number);
    if (known !== undefined) {
      return known;
    }
    const inode = InodeEdit.load(this, number);
    this.inodes.set(number, inode);
    return inode;
  }

  /** Puts a new inode in the place of whatever the number held. */
  replaceInode(inode: InodeEdit): void {
    this.inodes.set(inode.number, inode);
  }

  get freeBlocks(): number {
    return this.totals().freeBlocksCount + this.freeBlocksDelta;
  }

  /** Something of the inode changed other than its fields: `check` is to look at it. */
  touchInode(number: number): void {
    this.touched.add(number);
  }

  finish(): void {
    for (const inode of this.inodes.values()) {
      inode.save();
    }
    for (const group of this.groups.values()) {
      group.save();
    }
    if (this.freeBlocksDelta !== 0 || this.freeInodesDelta !== 0) {
      const bytes = this.editBytes(SUPERBLOCK_OFFSET_BYTES, SUPERBLOCK_BYTES);
      const { freeBlocksCount, freeInodesCount } = this.totals();
      writeSuperblock(bytes, {
        freeBlocksCount: freeBlocksCount + this.freeBlocksDelta,
        freeInodesCount: freeInodesCount + this.freeInodesDelta,
      });
    }
  }

  /** Inode of a directory that an earlier operation, or this one, has walked to. */
  knownDirectory(path: string): number | undefined {
    const learned = this.learned.get(path);
    if (learned !== undefined) return learned;
    const isGone = this.forgotten.some((gone) => isWithin(path, gone));
    return isGone ? undefined : this.session.directories.get(path);
  }

  learnDirectory(path: string, inode: number): void {
    this.learned.set(path, inode);
  }

  /** To be called when a directory goes away. */
  forgetDirectory(path: string): void {
    this.forgotten.push(path);
    for (const known of [...this.learned.keys()]) {
      if (isWithin(known, path)) this.learned.delete(known);
    }
  }

  /** The last step of an operation, after which nothing may fail. */
  remember(): void {
    // In this order: a directory may have been made anew where one went away.
    for (const path of this.forgotten) {
      this.session.forgetDirectory(path);
    }
    for (const [path, inode] of this.learned) {
      this.session.directories.set(path, inode);
    }
    this.session.dataGroup = this.dataGroup ?? this.session.dataGroup;
    for (const area of this.dirtied) {
      this.session.dirtyAreas.add(area);
    }
    for (const area of this.closed) {
      this.session.openAreas.delete(area);
    }
    for (const area of this.opened) {
      this.session.openAreas.delete(area);
      this.session.openAreas.add(area);
    }
    for (const [number, inode] of this.inodes) {
      if (inode.isChanged) {
        this.session.touchedInodes.add(number);
      }
    }
    for (const number of this.touched) {
      this.session.touchedInodes.add(number);
    }
    for (const [number, group] of this.groups) {
      if (group.isChanged) {
        this.session.touchedGroups.add(number);
      }
    }
  }

  /** The superblock as it was before this operation, counters included. */
  private totals(): Superblock {
    this.before ??= parseSuperblock(this.readBytes(SUPERBLOCK_OFFSET_BYTES, SUPERBLOCK_BYTES));
    return this.before;
  }

  private markDirty(area: number): void {
    if (this.dirtied.has(area)) {
      return;
    }
    this.dirtied.add(area);
    if (!this.session.dirtyAreas.has(area)) {
      this.opened.add(area);
    }
  }

  private assertBlock(block: number, count: number): void {
    if (
      !Number.isInteger(block) ||
      block < this.superblock.firstDataBlock ||
      block + count > this.superblock.blocksCount
    ) {
      throw new CorruptFilesystemError('a block number beyond the volume', { block, count });
    }
  }
}
