import { CorruptFilesystemError } from '../../errors';
import {
  EXTRA_ISIZE,
  GOOD_OLD_INODE_BYTES,
  type Inode,
  inodeChecksumSeed,
  parseInode,
  S_IFDIR,
  S_IFMT,
  verifyInode,
  writeInode,
} from '../inode';
import { readU32 } from '../../../bytes/little-endian';
import { groupOfInode } from './geometry';
import type { VolumeEdit } from './volume-edit';

const GENERATION_OFFSET = 0x64;

/** One inode within an operation. Fields are changed in memory; `VolumeEdit.finish` writes them with the checksum. */
export class InodeEdit {
  isChanged = false;

  private constructor(
    private readonly volume: VolumeEdit,
    readonly number: number,
    readonly fields: Inode,
  ) {}

  static load(volume: VolumeEdit, number: number): InodeEdit {
    const bytes = volume.readBytes(...InodeEdit.place(volume, number));
    verifyInode(bytes, volume.superblock, number);
    return new InodeEdit(volume, number, parseInode(bytes, volume.superblock));
  }

  /** A new inode on a number that was taken for it: all zeros but for what a later reader must not mistake. */
  static create(volume: VolumeEdit, number: number): InodeEdit {
    const { superblock } = volume;
    const old = volume.readBytes(...InodeEdit.place(volume, number));
    // Not parsed whole: an inode that is not in use may hold anything.
    const generation = (readU32(old, GENERATION_OFFSET) + 1) >>> 0;
    volume.editBytes(...InodeEdit.place(volume, number)).fill(0);
    const extraIsize = superblock.inodeSize === GOOD_OLD_INODE_BYTES ? 0 : EXTRA_ISIZE;
    const inode = new InodeEdit(volume, number, {
      mode: 0,
      uid: 0,
      gid: 0,
      sizeBytes: 0,
      links: 0,
      flags: 0,
      sectors: 0,
      generation,
      xattrBlock: 0,
      atimeNs: 0n,
      mtimeNs: 0n,
      ctimeNs: 0n,
      crtimeNs: 0n,
      dtime: 0,
      block: new Uint8Array(60),
      extraIsize,
      projectId: 0,
    });
    inode.isChanged = true;
    volume.replaceInode(inode);
    return inode;
  }

  get isDirectory(): boolean {
    return (this.fields.mode & S_IFMT) === S_IFDIR;
  }

  /** Start of the checksums of the blocks that belong to the inode. */
  get checksumSeed(): number {
    return inodeChecksumSeed(this.volume.superblock, this.number, this.fields.generation);
  }

  /** The inode's bytes, fields as last saved. */
  readBytes(): Uint8Array {
    return this.volume.readBytes(...InodeEdit.place(this.volume, this.number));
  }

  /** The inode's bytes, for changes of its attribute area. */
  editBytes(): Uint8Array {
    this.isChanged = true;
    return this.volume.editBytes(...InodeEdit.place(this.volume, this.number));
  }

  /** Counts blocks that the inode gained or lost: data, tree and attribute blocks alike. */
  addBlocks(count: number): void {
    this.isChanged = true;
    this.fields.sectors += count * (this.volume.superblock.blockSize / 512);
  }

  save(): void {
    if (this.isChanged) {
      writeInode(this.editBytes(), this.fields, this.volume.superblock, this.number);
    }
  }

  private static place(volume: VolumeEdit, number: number): [offsetBytes: number, lengthBytes: number] {
    const { superblock } = volume;
    if (!Number.isInteger(number) || number < 1 || number > superblock.inodesCount) {
      throw new CorruptFilesystemError('an inode number beyond the volume', { inode: number });
    }
    const { inodeTable } = volume.group(groupOfInode(superblock, number)).descriptor;
    const index = (number - 1) % superblock.inodesPerGroup;
    return [inodeTable * superblock.blockSize + index * superblock.inodeSize, superblock.inodeSize];
  }
}
