import { CorruptFilesystemError } from '../../errors';
import { endOfRecords, parseDirectoryBlock, writeDirectoryEntry, writeDirectoryTail } from '../directory';
import { findRecord } from '../directory-records';
import { isHtreeNode } from '../htree';
import { Compat } from '../features';
import { DirectoryBlocks, type DirectoryBlockKind, type NewEntry } from './directory-blocks';
import { insertIndexed, leavesFor, makeIndexed } from './directory-index';
import { entryType } from './entry-type';
import { isInlineDirectory, leaveInline, readInlineDirectory } from './inline-directory';
import type { InodeEdit } from './inode-edit';
import type { VolumeEdit } from './volume-edit';

const DOT = Uint8Array.of(0x2e);
const DOT_DOT = Uint8Array.of(0x2e, 0x2e);
/** Bytes of the record of `.` in a directory's first block. */
const DOT_RECORD_BYTES = 12;

/** Where an entry stands. */
export interface FoundEntry {
  readonly logicalBlock: number;
  readonly offset: number;
  readonly inode: number;
  readonly type: number;
  readonly name: Uint8Array;
}

/** In the place of a block number: the entry stands in the directory's inode. */
const INLINE = -1;

/** @throws CorruptFilesystemError */
export function findEntry(volume: VolumeEdit, inode: InodeEdit, name: Uint8Array): FoundEntry | undefined {
  if (isInlineDirectory(inode)) {
    const found = readInlineDirectory(inode).entries.find((entry) => Buffer.compare(entry.name, name) === 0);
    return (
      found && { logicalBlock: INLINE, offset: found.offset, inode: found.inode, type: found.type, name }
    );
  }
  const directory = new DirectoryBlocks(volume, inode);
  const blocks = directory.isIndexed ? leavesFor(volume.superblock, directory, name) : directory.numbers();
  for (const logicalBlock of blocks) {
    const block = directory.read(logicalBlock, 'entries');
    const found = findRecord(block, endOfRecords(block), name);
    if (found !== undefined) return { logicalBlock, name, ...found };
  }
  return undefined;
}

/** Adds an entry whose name is not in the directory yet. @throws NoSpaceError */
export function addEntry(volume: VolumeEdit, inode: InodeEdit, entry: NewEntry): void {
  if (isInlineDirectory(inode)) {
    moveToBlock(volume, inode);
  }
  const directory = new DirectoryBlocks(volume, inode);
  if (directory.isIndexed) {
    insertIndexed(volume.superblock, directory, entry);
    return;
  }
  for (let block = 0; block < directory.count; block += 1) {
    if (directory.insertInto(block, entry)) {
      return;
    }
  }
  const mayIndex = (volume.superblock.featureCompat & Compat.dir_index) !== 0;
  if (directory.count === 1 && mayIndex) {
    makeIndexed(volume.superblock, directory);
    insertIndexed(volume.superblock, directory, entry);
  } else {
    directory.fill(directory.append(), [entry]);
  }
}

/** Lets an entry name another inode. */
export function setEntry(
  volume: VolumeEdit,
  inode: InodeEdit,
  found: FoundEntry,
  target: { inode: number; type: number },
): void {
  if (found.inode === target.inode && found.type === target.type) {
    return;
  }
  editEntries(volume, inode, found, (block, place) => {
    const [entry] = entriesAround(block, place);
    writeDirectoryEntry(block, { ...entry, ...target });
  });
}

/** Takes an entry out; its space goes to the entry before it. */
export function removeEntry(volume: VolumeEdit, inode: InodeEdit, found: FoundEntry): void {
  editEntries(volume, inode, found, (block, place) => {
    const [entry, before] = entriesAround(block, place);
    block.fill(0, entry.offset, entry.offset + 8 + entry.name.length);
    if (before === undefined) {
      writeDirectoryEntry(block, { ...entry, inode: 0, type: 0, name: new Uint8Array() });
    } else {
      writeDirectoryEntry(block, { ...before, recordLength: before.recordLength + entry.recordLength });
    }
  });
}

/** The first block of a new directory. */
export function startDirectory(volume: VolumeEdit, inode: InodeEdit, parent: number, type: number): void {
  const directory = new DirectoryBlocks(volume, inode);
  directory.edit(directory.append(), 'entries', (block) => {
    const rest = directory.capacity - DOT_RECORD_BYTES;
    writeDirectoryEntry(block, {
      offset: 0,
      recordLength: DOT_RECORD_BYTES,
      inode: inode.number,
      type,
      name: DOT,
    });
    writeDirectoryEntry(block, {
      offset: DOT_RECORD_BYTES,
      recordLength: rest,
      inode: parent,
      type,
      name: DOT_DOT,
    });
    if (volume.superblock.hasMetadataChecksums) {
      writeDirectoryTail(block);
    }
  });
}

/** Whether nothing but `.` and `..` is in the directory. */
export function isEmptyDirectory(volume: VolumeEdit, inode: InodeEdit): boolean {
  if (isInlineDirectory(inode)) {
    return readInlineDirectory(inode).entries.length === 0;
  }
  const directory = new DirectoryBlocks(volume, inode);
  for (let logicalBlock = 0; logicalBlock < directory.count; logicalBlock += 1) {
    for (const entry of entriesOfAnyBlock(directory, logicalBlock)) {
      const isSelfOrParent =
        Buffer.compare(entry.name, DOT) === 0 || Buffer.compare(entry.name, DOT_DOT) === 0;
      if (entry.inode !== 0 && !isSelfOrParent) {
        return false;
      }
    }
  }
  return true;
}

/** Entries of a block of a directory, whatever the block is: an index block has none but `.` and `..`. */
export function entriesOfAnyBlock(
  directory: DirectoryBlocks,
  logicalBlock: number,
): ReturnType<typeof parseDirectoryBlock> {
  const kind = kindOf(directory, logicalBlock);
  if (kind === 'index-node') {
    return [];
  }
  const entries = parseDirectoryBlock(directory.read(logicalBlock, kind));
  return kind === 'index-root' ? entries.slice(0, 2) : entries;
}

function kindOf(directory: DirectoryBlocks, logicalBlock: number): DirectoryBlockKind {
  if (!directory.isIndexed) {
    return 'entries';
  }
  if (logicalBlock === 0) {
    return 'index-root';
  }
  return isHtreeNode(directory.readUnverified(logicalBlock)) ? 'index-node' : 'entries';
}

function editEntries(
  volume: VolumeEdit,
  inode: InodeEdit,
  found: FoundEntry,
  change: (block: Uint8Array, found: FoundEntry) => void,
): void {
  const place = found.logicalBlock === INLINE ? foundInBlock(volume, inode, found) : found;
  new DirectoryBlocks(volume, inode).edit(place.logicalBlock, 'entries', (block) => change(block, place));
}

/** An inline directory is given a block before it is changed: then there is one way to change directories. */
function foundInBlock(volume: VolumeEdit, inode: InodeEdit, found: FoundEntry): FoundEntry {
  if (isInlineDirectory(inode)) {
    moveToBlock(volume, inode);
  }
  const moved = findEntry(volume, inode, found.name);
  if (moved === undefined) {
    throw new CorruptFilesystemError('a directory entry that went away', { inode: inode.number });
  }
  return moved;
}

function moveToBlock(volume: VolumeEdit, inode: InodeEdit): void {
  const { parent, entries } = readInlineDirectory(inode);
  leaveInline(volume, inode);
  startDirectory(volume, inode, parent, entryType(volume, 'directory'));
  const directory = new DirectoryBlocks(volume, inode);
  for (const entry of entries) {
    if (!directory.insertInto(0, entry)) {
      throw new CorruptFilesystemError('an inline directory larger than a block', { inode: inode.number });
    }
  }
}

type RawEntry = ReturnType<typeof parseDirectoryBlock>[number];

function entriesAround(
  block: Uint8Array,
  found: FoundEntry,
): [entry: RawEntry, before: RawEntry | undefined] {
  // Names are views into the block, which is about to change: keep copies.
  const entries = parseDirectoryBlock(block).map((entry) => ({ ...entry, name: new Uint8Array(entry.name) }));
  const index = entries.findIndex(({ offset }) => offset === found.offset);
  const entry = entries[index];
  if (entry === undefined) {
    throw new CorruptFilesystemError('a directory entry that moved', { offset: found.offset });
  }
  return [entry, entries[index - 1]];
}
