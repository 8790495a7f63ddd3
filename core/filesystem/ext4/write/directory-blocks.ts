import { CorruptFilesystemError, UnsupportedFeatureError } from '../../errors';
import {
  directoryEntryBytes,
  DIRECTORY_TAIL_BYTES,
  parseDirectoryBlock,
  renewDirectoryChecksum,
  verifyDirectoryBlock,
  writeDirectoryEntry,
  writeDirectoryTail,
} from '../directory';
import { Compat } from '../features';
import { renewHtreeChecksum, verifyHtreeBlock } from '../htree';
import { InodeFlag } from '../inode';
import { allocateBlocks } from './block-allocator';
import { appendRuns, type FileBlocks, physicalBlockOf, readFileBlocks } from './file-blocks';
import { groupOfInode } from './geometry';
import type { InodeEdit } from './inode-edit';
import type { VolumeEdit } from './volume-edit';

/** Whether a block of a directory holds entries, or the root or an inner node of its index. */
export type DirectoryBlockKind = (typeof KINDS)[number];
const KINDS = ['entries', 'index-root', 'index-node'] as const;

/** An entry to be put somewhere. */
export interface NewEntry {
  readonly name: Uint8Array;
  readonly inode: number;
  readonly type: number;
}

/** The blocks of one directory: reading with checksums verified, changing with checksums renewed, growing. */
export class DirectoryBlocks {
  /** Worked out once: the tree of a large directory is long. */
  private blocks: FileBlocks | undefined;

  constructor(
    private readonly volume: VolumeEdit,
    readonly inode: InodeEdit,
  ) {
    if (!inode.isDirectory) {
      throw new CorruptFilesystemError('an inode that is no directory', { inode: inode.number });
    }
    const { blockSize, blocksCount, featureCompat } = volume.superblock;
    if (this.isIndexed && (featureCompat & Compat.dir_index) === 0) {
      throw new UnsupportedFeatureError(['an indexed directory on a volume without dir_index'], 'write');
    }
    if (inode.fields.flags & (InodeFlag.ENCRYPT | InodeFlag.CASEFOLD)) {
      throw new UnsupportedFeatureError(['a directory of encrypted or casefolded names'], 'write');
    }
    const { sizeBytes } = inode.fields;
    if (sizeBytes % blockSize !== 0 || sizeBytes / blockSize > blocksCount) {
      throw new CorruptFilesystemError('size of a directory', { inode: inode.number, sizeBytes });
    }
  }

  get count(): number {
    return this.inode.fields.sizeBytes / this.volume.superblock.blockSize;
  }

  /** All block numbers of the directory. */
  *numbers(): Generator<number> {
    for (let logicalBlock = 0; logicalBlock < this.count; logicalBlock += 1) {
      yield logicalBlock;
    }
  }

  get isIndexed(): boolean {
    return (this.inode.fields.flags & InodeFlag.INDEX) !== 0;
  }

  /** Bytes of an entries block that entries may fill. */
  get capacity(): number {
    const { blockSize, hasMetadataChecksums } = this.volume.superblock;
    return blockSize - (hasMetadataChecksums ? DIRECTORY_TAIL_BYTES : 0);
  }

  /** @throws CorruptFilesystemError when there is no such block or its checksum does not hold */
  read(logicalBlock: number, kind: DirectoryBlockKind): Uint8Array {
    const physical = this.physical(logicalBlock);
    const block = this.volume.readBlock(physical);
    const { verified } = this.volume.session;
    if (this.volume.superblock.hasMetadataChecksums && !verified.has(block, this.purposeOf(kind))) {
      const seed = this.inode.checksumSeed;
      if (kind === 'entries') {
        verifyDirectoryBlock(block, seed, physical);
      } else {
        verifyHtreeBlock(block, seed, kind === 'index-root', physical);
      }
      verified.add(block, this.purposeOf(kind));
    }
    return block;
  }

  /** For telling what kind of block it is. */
  readUnverified(logicalBlock: number): Uint8Array {
    return this.volume.readBlock(this.physical(logicalBlock));
  }

  /** Lets `change` edit a block in place, and renews its checksum. */
  edit(logicalBlock: number, kind: DirectoryBlockKind, change: (block: Uint8Array) => void): void {
    this.volume.touchInode(this.inode.number);
    const block = this.volume.editBlock(this.physical(logicalBlock));
    change(block);
    if (this.volume.superblock.hasMetadataChecksums) {
      const seed = this.inode.checksumSeed;
      if (kind === 'entries') {
        renewDirectoryChecksum(block, seed);
      } else {
        renewHtreeChecksum(block, seed, kind === 'index-root');
      }
      this.volume.session.verified.add(block, this.purposeOf(kind));
    }
  }

  private purposeOf(kind: DirectoryBlockKind): number {
    return this.inode.checksumSeed * KINDS.length + KINDS.indexOf(kind);
  }

  /** Adds a block of zeros at the end. @returns its number in the directory */
  append(): number {
    const { volume, inode } = this;
    const old = this.fileBlocks();
    this.blocks = undefined;
    const last = old.extents.at(-1);
    if ((last === undefined ? 0 : last.logicalBlock + last.blocks) !== this.count) {
      throw new CorruptFilesystemError('blocks of a directory behind its end', { inode: inode.number });
    }
    const [run] = allocateBlocks(volume, 1, groupOfInode(volume.superblock, inode.number));
    appendRuns(volume, inode, old, [run!]);
    volume.writeBlocks(run!.start, new Uint8Array(volume.superblock.blockSize));
    inode.fields.sizeBytes += volume.superblock.blockSize;
    return this.count - 1;
  }

  /** Fills an entries block with exactly these entries, the last of which takes the free space. */
  fill(logicalBlock: number, entries: readonly NewEntry[]): void {
    this.edit(logicalBlock, 'entries', (block) => {
      block.fill(0);
      let offset = 0;
      entries.forEach((entry, index) => {
        const isLast = index === entries.length - 1;
        const recordLength = isLast ? this.capacity - offset : directoryEntryBytes(entry.name.length);
        writeDirectoryEntry(block, { ...entry, offset, recordLength });
        offset += recordLength;
      });
      if (entries.length === 0) {
        writeDirectoryEntry(block, {
          offset: 0,
          recordLength: this.capacity,
          inode: 0,
          type: 0,
          name: new Uint8Array(),
        });
      }
      if (this.volume.superblock.hasMetadataChecksums) {
        writeDirectoryTail(block);
      }
    });
  }

  /** Puts an entry into the first gap of a block that is large enough. @returns false when there is none */
  insertInto(logicalBlock: number, entry: NewEntry): boolean {
    const needed = directoryEntryBytes(entry.name.length);
    for (const found of parseDirectoryBlock(this.read(logicalBlock, 'entries'))) {
      const taken = found.inode === 0 ? 0 : directoryEntryBytes(found.name.length);
      if (found.recordLength - taken >= needed) {
        this.edit(logicalBlock, 'entries', (block) => {
          if (taken > 0) {
            writeDirectoryEntry(block, {
              ...found,
              name: block.slice(found.offset + 8, found.offset + 8 + found.name.length),
              recordLength: taken,
            });
          }
          const offset = found.offset + taken;
          writeDirectoryEntry(block, { ...entry, offset, recordLength: found.recordLength - taken });
        });
        return true;
      }
    }
    return false;
  }

  private physical(logicalBlock: number): number {
    if (logicalBlock < 0 || logicalBlock >= this.count) {
      throw new CorruptFilesystemError('a directory block beyond its end', {
        inode: this.inode.number,
        logicalBlock,
      });
    }
    return physicalBlockOf(this.fileBlocks(), logicalBlock, this.inode.number);
  }

  private fileBlocks(): FileBlocks {
    this.blocks ??= readFileBlocks(this.volume, this.inode);
    return this.blocks;
  }
}
