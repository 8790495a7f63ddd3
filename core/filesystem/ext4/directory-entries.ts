import { decodeName } from '../../bytes/names';
import { CorruptFilesystemError } from '../errors';
import type { DirectoryEntry } from '../filesystem';
import { readU32 } from '../../bytes/little-endian';
import {
  directoryEntryBytes,
  parseDirectoryBlock,
  parseInlineRecords,
  verifyDirectoryBlock,
  type RawDirectoryEntry,
} from './directory';
import { directoryHash, type DirectoryHash } from './directory-hash';
import type { Extent } from './extent';
import { typeOfMode } from '../file-mode';
import { typeOfEntry } from './file-type';
import { Compat } from './features';
import { hashVersionOf, isHtreeNode, verifyHtreeBlock } from './htree';
import { hasInlineData, inlineData } from './inline-data';
import { InodeFlag, inodeChecksumSeed, type Inode } from './inode';
import { noKeyName } from './no-key-name';
import type { VolumeReader } from './volume-reader';

/** Ten million entries and more. What claims to be larger only wants memory. */
const MAX_DIRECTORY_BYTES = 1024 * 1024 * 1024;

/** The number of the parent directory, in the place of an entry `..`. */
const PARENT_BYTES = 4;

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

/**
 * Block numbers of a directory in its own order; none of one whose entries are inline.
 * @throws CorruptFilesystemError when it has a hole or impossible size
 */
export function directoryBlocks(volume: VolumeReader, directory: OpenDirectory): number[] {
  if (hasInlineData(directory.inode)) return [];
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
  return isIndexBlock ? [] : namedInodes(volume, directory, block, parseDirectoryBlock(block));
}

/**
 * The entries that a directory keeps in its inode (feature inline_data): behind the parent's number in i_block, and in
 * the attribute that follows. None of a directory with blocks.
 * @throws CorruptFilesystemError
 */
export function entriesOfInlineDirectory(volume: VolumeReader, directory: OpenDirectory): NamedInode[] {
  if (!hasInlineData(directory.inode)) return [];
  const { head, tail } = inlineData(volume, directory.number, directory.inode);
  return [head.subarray(PARENT_BYTES), tail].flatMap((piece) =>
    namedInodes(volume, directory, piece, parseInlineRecords(piece)),
  );
}

function namedInodes(
  volume: VolumeReader,
  directory: OpenDirectory,
  piece: Uint8Array,
  records: readonly RawDirectoryEntry[],
): NamedInode[] {
  const entries: NamedInode[] = [];
  const isEncrypted = (directory.inode.flags & InodeFlag.ENCRYPT) !== 0;
  for (const entry of records) {
    if (entry.inode === 0 || isDotEntry(entry.name)) continue;
    const name = isEncrypted
      ? noKeyName(entry.name, shownHash(volume, directory, piece, entry))
      : checkedName(entry, directory.number);
    entries.push({ name, inode: entry.inode, type: entry.type });
  }
  return entries;
}

/** The hash that is part of a no-key name: as stored beside casefolded names, else of the ciphertext. */
function shownHash(
  { superblock }: VolumeReader,
  { inode }: OpenDirectory,
  piece: Uint8Array,
  { offset, recordLength, name }: RawDirectoryEntry,
): DirectoryHash | undefined {
  if (inode.flags & InodeFlag.CASEFOLD) {
    const at = directoryEntryBytes(name.length);
    if (at + 8 > recordLength) throw new CorruptFilesystemError('hash of an encrypted name', { offset });
    return { major: readU32(piece, offset + at), minor: readU32(piece, offset + at + 4) };
  }
  // The kernel reads a directory by its hashes when it has, or could have, an index.
  const isSmall = hasInlineData(inode) || inode.sizeBytes === superblock.blockSize;
  const hasHashes = isSmall || (inode.flags & InodeFlag.INDEX) !== 0;
  if ((superblock.featureCompat & Compat.dir_index) === 0 || !hasHashes) return undefined;
  return directoryHash(name, hashVersionOf(superblock.defaultHashVersion, superblock), superblock.hashSeed);
}

/**
 * All entries of a directory at once.
 * @throws CorruptFilesystemError as entriesOfBlock does, or when a name is there twice
 */
export function readDirectoryEntries(volume: VolumeReader, directory: OpenDirectory): DirectoryEntries {
  const entries = new Map<string, DirectoryEntry>();
  const add = ({ name, inode, type }: NamedInode): void => {
    if (entries.has(name)) {
      throw new CorruptFilesystemError('name twice in a directory', { inode: directory.number, name });
    }
    entries.set(name, { name, inode, type: fileTypeOf(volume, inode, type) });
  };
  entriesOfInlineDirectory(volume, directory).forEach(add);
  for (const [logicalBlock, block] of directoryBlocks(volume, directory).entries()) {
    entriesOfBlock(volume, directory, block, logicalBlock).forEach(add);
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
