import { readU16, readU32, writeU16, writeU32 } from '../../bytes/little-endian';
import { CorruptFilesystemError } from '../errors';
import { crc32c } from '../../bytes/checksum';
import { forEachRecord, RECORD_HEADER_BYTES } from './directory-records';

/** File types in directory entries (feature filetype). */
export const EntryType = {
  unknown: 0,
  file: 1,
  directory: 2,
  'character-device': 3,
  'block-device': 4,
  fifo: 5,
  socket: 6,
  symlink: 7,
} as const;

const CHECKSUM_ENTRY_TYPE = 0xde;
/** The fake last entry that carries a directory block's checksum. */
export const DIRECTORY_TAIL_BYTES = 12;
export const MAX_NAME_BYTES = 255;

/** One entry as it lies in a block. `inode` 0 means unused space. */
export interface RawDirectoryEntry {
  /** Where in the block it starts. */
  readonly offset: number;
  /** Bytes to the next entry, free space included. */
  readonly recordLength: number;
  readonly inode: number;
  readonly type: number;
  /** A view into the block, not a copy. */
  readonly name: Uint8Array;
}

/**
 * Every entry of one linear directory block, unused ones included, the checksum tail left out.
 * @throws CorruptFilesystemError when a record length is impossible
 */
export function parseDirectoryBlock(block: Uint8Array): RawDirectoryEntry[] {
  return parseRecords(block, endOfRecords(block));
}

/**
 * Every entry of a piece of an inline directory, which has no tail.
 * @throws CorruptFilesystemError when a record length is impossible
 */
export function parseInlineRecords(bytes: Uint8Array): RawDirectoryEntry[] {
  return parseRecords(bytes, bytes.length);
}

/** Where the records of a linear block end: the checksum tail is none. */
export function endOfRecords(block: Uint8Array): number {
  return hasDirectoryTail(block) ? block.length - DIRECTORY_TAIL_BYTES : block.length;
}

function parseRecords(block: Uint8Array, end: number): RawDirectoryEntry[] {
  const entries: RawDirectoryEntry[] = [];
  forEachRecord(block, end, (offset, recordLength, nameLength) => {
    const start = offset + RECORD_HEADER_BYTES;
    entries.push({
      offset,
      recordLength,
      inode: readU32(block, offset),
      type: block[offset + 7]!,
      name: block.subarray(start, start + nameLength),
    });
  });
  return entries;
}

/** Puts one entry at `entry.offset`. Bytes after the name stay as they are. */
export function writeDirectoryEntry(block: Uint8Array, entry: RawDirectoryEntry): void {
  writeU32(block, entry.offset, entry.inode);
  writeRecordLength(block, entry.offset, entry.recordLength);
  block[entry.offset + 6] = entry.name.length;
  block[entry.offset + 7] = entry.type;
  block.set(entry.name, entry.offset + RECORD_HEADER_BYTES);
}

/** Bytes an entry needs at least: header and name, to the next multiple of four. */
export function directoryEntryBytes(nameLength: number): number {
  return (RECORD_HEADER_BYTES + nameLength + 3) & ~3;
}

export function hasDirectoryTail(block: Uint8Array): boolean {
  const tail = block.length - DIRECTORY_TAIL_BYTES;
  return (
    readU32(block, tail) === 0 &&
    readU16(block, tail + 4) === DIRECTORY_TAIL_BYTES &&
    block[tail + 6] === 0 &&
    block[tail + 7] === CHECKSUM_ENTRY_TYPE
  );
}

/** Makes the fake last entry. Needed in every linear block of a volume with metadata_csum. */
export function writeDirectoryTail(block: Uint8Array): void {
  const tail = block.length - DIRECTORY_TAIL_BYTES;
  block.fill(0, tail);
  writeU16(block, tail + 4, DIRECTORY_TAIL_BYTES);
  block[tail + 7] = CHECKSUM_ENTRY_TYPE;
}

/** @param seed inodeChecksumSeed of the directory */
export function renewDirectoryChecksum(block: Uint8Array, seed: number): void {
  const tail = block.length - DIRECTORY_TAIL_BYTES;
  writeU32(block, tail + 8, crc32c(seed, block, 0, tail));
}

/** @throws CorruptFilesystemError when the tail is missing or its checksum does not hold */
export function verifyDirectoryBlock(block: Uint8Array, seed: number, blockNumber: number): void {
  if (!hasDirectoryTail(block))
    throw new CorruptFilesystemError('directory block without checksum', { blockNumber });
  const tail = block.length - DIRECTORY_TAIL_BYTES;
  const expected = crc32c(seed, block, 0, tail);
  const found = readU32(block, tail + 8);
  if (found !== expected)
    throw new CorruptFilesystemError('directory block checksum', { blockNumber, expected, found });
}

function writeRecordLength(block: Uint8Array, offset: number, recordLength: number): void {
  writeU16(block, offset + 4, recordLength === 65536 ? 65535 : recordLength);
}
