import { highU32, lowU32, readU16, readU32, writeU16, writeU32 } from '../../bytes/little-endian';
import { CorruptFilesystemError } from '../errors';
import { crc32c, crc32cU32, crc32cZeros } from '../../bytes/checksum';
import { GOOD_OLD_INODE_BYTES } from './inode';
import type { Superblock } from './superblock';
import type { XattrName } from './xattr-name';

const XATTR_MAGIC = 0xea020000;
const ENTRY_BYTES = 16;
const BLOCK_HEADER_BYTES = 32;
const CHECKSUM_OFFSET = 0x10;
/** The zero word that ends a list of entries. */
const END_BYTES = 4;

/** One attribute as stored: ACL values are in their disk form (acl.ts), names are split (xattr-name.ts). */
export interface XattrEntry extends XattrName {
  readonly value: Uint8Array;
  /** Where the value is when it is too long to stand here (feature ea_inode). `value` is empty then. */
  readonly inInode?: ValueInInode;
}

export interface ValueInInode {
  readonly inode: number;
  readonly sizeBytes: number;
  /** Over the name and the value's own hash. */
  readonly entryHash: number;
}

export interface XattrBlock {
  /** How many inodes share the block. */
  readonly references: number;
  /** By which the kernel finds blocks to share; 0 for never. */
  readonly hash: number;
  readonly entries: readonly XattrEntry[];
}

/**
 * The attributes kept behind the fields of an inode.
 * @param bytes one inode, superblock.inodeSize long
 * @throws CorruptFilesystemError
 */
export function parseInodeXattrs(bytes: Uint8Array, extraIsize: number): XattrEntry[] {
  const start = GOOD_OLD_INODE_BYTES + extraIsize;
  if (extraIsize === 0 || start + 4 > bytes.length || readU32(bytes, start) !== XATTR_MAGIC) return [];
  const area = bytes.subarray(start + 4);
  return parseEntries(area, 0);
}

/** Bytes for entries and values behind an inode's fields: 0 when there is no room for any. */
export function inodeXattrCapacity(superblock: Superblock, extraIsize: number): number {
  return Math.max(0, superblock.inodeSize - GOOD_OLD_INODE_BYTES - extraIsize - 4);
}

/** Bytes for entries and values in an attribute block. */
export function blockXattrCapacity(blockSize: number): number {
  return blockSize - BLOCK_HEADER_BYTES;
}

/** Bytes that these attributes take of a capacity, the end word included. */
export function xattrBytes(entries: readonly XattrEntry[]): number {
  return entries.reduce((sum, entry) => sum + entryBytes(entry) + pad(entry.value.length), END_BYTES);
}

/**
 * Puts the whole attribute area of an inode; no entries clear it. Renew the inode's checksum afterwards.
 * The caller has checked `xattrBytes` against `inodeXattrCapacity`.
 */
export function writeInodeXattrs(
  bytes: Uint8Array,
  extraIsize: number,
  entries: readonly XattrEntry[],
): void {
  const start = GOOD_OLD_INODE_BYTES + extraIsize;
  bytes.fill(0, start);
  if (entries.length === 0) return;
  writeU32(bytes, start, XATTR_MAGIC);
  // The kernel leaves the hashes of attributes in an inode at zero, if their values stand there too.
  writeEntries(bytes.subarray(start + 4), 0, entries, ({ inInode }) => inInode?.entryHash ?? 0);
}

/** @throws CorruptFilesystemError */
export function parseXattrBlock(block: Uint8Array): XattrBlock {
  const references = readU32(block, 4);
  if (readU32(block, 0) !== XATTR_MAGIC || readU32(block, 8) !== 1 || references === 0) {
    throw new CorruptFilesystemError('header of an attribute block', {
      references,
      blocks: readU32(block, 8),
    });
  }
  return { references, hash: readU32(block, 12), entries: parseEntries(block, BLOCK_HEADER_BYTES) };
}

/**
 * A whole attribute block. Entries are put in the order in which the kernel searches; hashes are made as the kernel
 * makes them, so that it may share the block later.
 */
export function serializeXattrBlock(
  entries: readonly XattrEntry[],
  references: number,
  superblock: Superblock,
  blockNumber: number,
): Uint8Array {
  const block = new Uint8Array(superblock.blockSize);
  writeU32(block, 0, XATTR_MAGIC);
  writeU32(block, 4, references);
  writeU32(block, 8, 1);
  const sorted = [...entries].sort(compareNames);
  const hashes = writeEntries(block, BLOCK_HEADER_BYTES, sorted, xattrEntryHash);
  writeU32(block, 12, xattrBlockHash(hashes));
  renewXattrBlockChecksum(block, superblock, blockNumber);
  return block;
}

/** Sets how many inodes share the block, and renews its checksum. */
export function writeXattrReferences(
  block: Uint8Array,
  references: number,
  superblock: Superblock,
  blockNumber: number,
): void {
  writeU32(block, 4, references);
  renewXattrBlockChecksum(block, superblock, blockNumber);
}

function renewXattrBlockChecksum(block: Uint8Array, superblock: Superblock, blockNumber: number): void {
  if (superblock.hasMetadataChecksums) {
    writeU32(block, CHECKSUM_OFFSET, xattrBlockChecksum(block, superblock, blockNumber));
  }
}

/** @throws CorruptFilesystemError */
export function verifyXattrBlock(block: Uint8Array, superblock: Superblock, blockNumber: number): void {
  if (!superblock.hasMetadataChecksums) return;
  const expected = xattrBlockChecksum(block, superblock, blockNumber);
  const found = readU32(block, CHECKSUM_OFFSET);
  if (found !== expected)
    throw new CorruptFilesystemError('attribute block checksum', { blockNumber, expected, found });
}

/** Hash of one entry, over its name and the words of its value (kernel ext4_xattr_hash_entry, unsigned characters). */
function xattrEntryHash(entry: XattrEntry): number {
  if (entry.inInode) return entry.inInode.entryHash;
  let hash = nameHash(entry);
  const padded = new Uint8Array(pad(entry.value.length));
  padded.set(entry.value);
  for (let at = 0; at < padded.length; at += 4) {
    hash = (hash << 16) ^ (hash >>> 16) ^ readU32(padded, at);
  }
  return hash >>> 0;
}

/** Hash of an entry whose value stands in an inode: its value's hash takes the place of the value. */
export function xattrEntryHashOf(name: XattrName, valueHash: number): number {
  const hash = nameHash(name);
  return ((hash << 16) ^ (hash >>> 16) ^ valueHash) >>> 0;
}

function nameHash({ suffix }: XattrName): number {
  let hash = 0;
  for (const byte of suffix) hash = (hash << 5) ^ (hash >>> 27) ^ byte;
  return hash;
}

function xattrBlockHash(entryHashes: readonly number[]): number {
  let hash = 0;
  for (const entryHash of entryHashes) {
    if (entryHash === 0) return 0;
    hash = (hash << 16) ^ (hash >>> 16) ^ entryHash;
  }
  return hash >>> 0;
}

function xattrBlockChecksum(block: Uint8Array, superblock: Superblock, blockNumber: number): number {
  let crc = crc32cU32(crc32cU32(superblock.checksumSeed, lowU32(blockNumber)), highU32(blockNumber));
  crc = crc32cZeros(crc32c(crc, block, 0, CHECKSUM_OFFSET), 4);
  return crc32c(crc, block, CHECKSUM_OFFSET + 4);
}

/** @param start where the entries begin; in a block, value offsets still count from 0 */
function parseEntries(area: Uint8Array, start: number): XattrEntry[] {
  const entries: XattrEntry[] = [];
  let at = start;
  while (at + END_BYTES <= area.length && readU32(area, at) !== 0) {
    const entry = parseEntry(area, at);
    at += entryBytes(entry);
    entries.push(entry);
  }
  if (at + END_BYTES > area.length)
    throw new CorruptFilesystemError('extended attributes without an end', { at });
  return entries;
}

function parseEntry(area: Uint8Array, at: number): XattrEntry {
  const nameLength = area[at]!;
  const nameIndex = area[at + 1]!;
  if (at + ENTRY_BYTES + nameLength > area.length)
    throw new CorruptFilesystemError('name of an attribute', { at, nameLength });
  const valueOffset = readU16(area, at + 2);
  const valueInode = readU32(area, at + 4);
  const size = readU32(area, at + 8);
  const isStoredHere = valueInode === 0 && size > 0;
  if (isStoredHere && valueOffset + size > area.length) {
    throw new CorruptFilesystemError('value of an attribute', { at, valueOffset, size });
  }
  return {
    nameIndex,
    suffix: area.slice(at + ENTRY_BYTES, at + ENTRY_BYTES + nameLength),
    value: isStoredHere ? area.slice(valueOffset, valueOffset + size) : new Uint8Array(),
    ...(valueInode !== 0 && {
      inInode: { inode: valueInode, sizeBytes: size, entryHash: readU32(area, at + 12) },
    }),
  };
}

function writeEntries(
  area: Uint8Array,
  start: number,
  entries: readonly XattrEntry[],
  hashOf: (entry: XattrEntry) => number,
): number[] {
  let at = start;
  let valueEnd = area.length;
  return entries.map((entry) => {
    const hash = hashOf(entry);
    valueEnd -= pad(entry.value.length);
    area[at] = entry.suffix.length;
    area[at + 1] = entry.nameIndex;
    writeU16(area, at + 2, entry.value.length === 0 ? 0 : valueEnd);
    writeU32(area, at + 4, entry.inInode?.inode ?? 0);
    writeU32(area, at + 8, entry.inInode?.sizeBytes ?? entry.value.length);
    writeU32(area, at + 12, hash);
    area.set(entry.suffix, at + ENTRY_BYTES);
    area.set(entry.value, valueEnd);
    at += entryBytes(entry);
    return hash;
  });
}

/** The kernel's order: namespace, then length of the name, then its bytes. */
function compareNames(a: XattrEntry, b: XattrEntry): number {
  return a.nameIndex - b.nameIndex || a.suffix.length - b.suffix.length || Buffer.compare(a.suffix, b.suffix);
}

function entryBytes(entry: XattrName): number {
  return ENTRY_BYTES + pad(entry.suffix.length);
}

function pad(length: number): number {
  return (length + 3) & ~3;
}
