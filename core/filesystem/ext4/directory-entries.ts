import { decodeName } from '../../bytes/names';
import { CorruptFilesystemError } from '../errors';
import type { DirectoryEntry } from '../filesystem';
import { parseDirectoryBlock, verifyDirectoryBlock, type RawDirectoryEntry } from './directory';
import type { Extent } from './extent';
import { typeOfEntry, typeOfMode } from './file-type';
import { isHtreeNode, verifyHtreeBlock } from './htree';
import { InodeFlag, inodeChecksumSeed, type Inode } from './inode';
import type { VolumeReader } from './volume-reader';

/** Ten million entries and more. What claims to be larger only wants memory. */
const MAX_DIRECTORY_BYTES = 1024 * 1024 * 1024;

const SLASH = 0x2f;
const DOT = 0x2e;

/** A directory's inode and where its blocks are. */
export interface OpenDirectory {
  readonly number: number;
  readonly inode: Inode;
  readonly extents: readonly Extent[];
}

/** Entries by name, without `.` and `..`. */
export type DirectoryEntries = ReadonlyMap<string, DirectoryEntry>;

/** Block numbers of a directory in its own order. @throws CorruptFilesystemError when it has a hole or impossible size */
export function directoryBlocks(volume: VolumeReader, directory: OpenDirectory): number[] {
  const { blockSize } = volume.superblock;
  const { sizeBytes } = directory.inode;
  if (sizeBytes > Math.min(MAX_DIRECTORY_BYTES, volume.superblock.blocksCount * blockSize)) {
    throw new CorruptFilesystemError('directory larger than any', { inode: directory.number, sizeBytes });
  }
  const count = sizeBytes / blockSize;
  const blocks: number[] = [];
  for (const { logicalBlock, physicalBlock, blocks: length, unwritten } of directory.extents) {
    if (logicalBlock >= count) break;
    if (logicalBlock !== blocks.length || unwritten) break;
    for (let block = 0; block < length && blocks.length < count; block++) blocks.push(physicalBlock + block);
  }
  if (blocks.length !== count || count === 0) {
    throw new CorruptFilesystemError('directory with a hole', {
      inode: directory.number,
      sizeBytes: directory.inode.sizeBytes,
      blocks: blocks.length,
    });
  }
  return blocks;
}

/** One entry of a directory, checked and decoded. */
export interface NamedInode {
  readonly name: string;
  readonly inode: number;
  /** An EntryType; 0 when the directory does not say. */
  readonly type: number;
}

/**
 * The entries of one directory block. Index blocks of an indexed directory have none, and its leaves are ordinary
 * blocks: reading them one after the other needs no hashes.
 * @param logicalBlock which of the directory's blocks it is
 * @throws CorruptFilesystemError on a wrong checksum or an impossible name
 */
export function entriesOfBlock(
  volume: VolumeReader,
  directory: OpenDirectory,
  blockNumber: number,
  logicalBlock: number,
): NamedInode[] {
  const block = volume.block(blockNumber);
  const isIndexed = (directory.inode.flags & InodeFlag.INDEX) !== 0;
  const isIndexBlock = isIndexed && (logicalBlock === 0 || isHtreeNode(block));
  if (volume.superblock.hasMetadataChecksums) {
    const seed = inodeChecksumSeed(volume.superblock, directory.number, directory.inode.generation);
    if (isIndexBlock) verifyHtreeBlock(block, seed, logicalBlock === 0, blockNumber);
    else verifyDirectoryBlock(block, seed, blockNumber);
  }
  const entries: NamedInode[] = [];
  if (isIndexBlock) return entries;
  for (const entry of parseDirectoryBlock(block)) {
    if (entry.inode === 0 || isDotEntry(entry.name)) continue;
    entries.push({ name: checkedName(entry, directory.number), inode: entry.inode, type: entry.type });
  }
  return entries;
}

/**
 * All entries of a directory at once.
 * @throws CorruptFilesystemError as entriesOfBlock does, or when a name is there twice
 */
export function readDirectoryEntries(volume: VolumeReader, directory: OpenDirectory): DirectoryEntries {
  const entries = new Map<string, DirectoryEntry>();
  for (const [logicalBlock, block] of directoryBlocks(volume, directory).entries()) {
    for (const { name, inode, type } of entriesOfBlock(volume, directory, block, logicalBlock)) {
      if (entries.has(name)) {
        throw new CorruptFilesystemError('name twice in a directory', { inode: directory.number, name });
      }
      entries.set(name, { name, inode, type: fileTypeOf(volume, inode, type) });
    }
  }
  return entries;
}

function fileTypeOf(volume: VolumeReader, inode: number, type: number): DirectoryEntry['type'] {
  // Without the filetype feature the byte is the high part of the name's length, and always 0.
  return typeOfEntry(type) ?? typeOfMode(volume.inode(inode).mode, inode);
}

function isDotEntry(name: Uint8Array): boolean {
  return name[0] === DOT && (name.length === 1 || (name.length === 2 && name[1] === DOT));
}

function checkedName({ name }: RawDirectoryEntry, directory: number): string {
  if (name.length === 0 || name.includes(SLASH) || name.includes(0)) {
    throw new CorruptFilesystemError('impossible name in a directory', {
      inode: directory,
      name: decodeName(name),
    });
  }
  return decodeName(name);
}
