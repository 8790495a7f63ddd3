import { readU16BE, readU32BE } from '../../bytes/big-endian';
import { readU8 } from '../../bytes/little-endian';
import { CorruptFilesystemError } from '../errors';
import type { StampLayout } from './block-stamp';

/** Bits of an attribute's flags (kernel xfs_da_format.h). */
export const XattrFlag = { LOCAL: 0x1, ROOT: 0x2, SECURE: 0x4, PARENT: 0x8, INCOMPLETE: 0x80 } as const;

/** An attribute as stored; its value is here, or in blocks of its own. */
export interface XattrEntry {
  readonly flags: number;
  readonly name: Uint8Array;
  readonly value: Uint8Array | RemoteValue;
}

/** Where in the attribute fork a value begins, in blocks. */
export interface RemoteValue {
  readonly fileBlock: number;
  readonly lengthBytes: number;
}

export const XATTR_BLOCK_STAMP: StampLayout = {
  what: 'attribute block',
  crc: 12,
  address: 16,
  uuid: 32,
  owner: 48,
};

const LEAF_MAGIC = { v4: 0xfbee, v5: 0x3bee };
const NODE_MAGIC = { v4: 0xfebe, v5: 0x3ebe };
/** Offset of the count, which everything else follows. */
const COUNT_OFFSET = { v4: 12, v5: 56 };
const LEAF_HEADER_BYTES = { v4: 32, v5: 80 };
const NODE_HEADER_BYTES = { v4: 16, v5: 64 };
const ENTRY_BYTES = 8;
/** Linux allows no longer values (XATTR_SIZE_MAX). */
const MAX_VALUE_BYTES = 65_536;
/** The kernel's trees are no higher (XFS_DA_NODE_MAXDEPTH). */
const MAX_LEVEL = 5;

/** What a block of attributes holds: attributes, or the fork blocks that lead to them. */
export type XattrBlock =
  | { readonly level: 0; readonly entries: readonly XattrEntry[] }
  | { readonly level: number; readonly children: readonly number[] };

/** Attributes that fit into the inode. @throws CorruptFilesystemError */
export function shortformXattrs(fork: Uint8Array): XattrEntry[] {
  const total = readU16BE(fork, 0);
  if (total > fork.length) throw new CorruptFilesystemError('attributes larger than their inode', { total });
  const bytes = fork.subarray(0, total);
  const count = readU8(bytes, 2);
  const entries: XattrEntry[] = [];
  let at = 4;
  for (let entry = 0; entry < count; entry++) {
    const nameLength = readU8(bytes, at);
    const valueLength = readU8(bytes, at + 1);
    const flags = readU8(bytes, at + 2);
    const name = piece(bytes, at + 3, nameLength);
    entries.push({ flags, name, value: piece(bytes, at + 3 + nameLength, valueLength) });
    at += 3 + nameLength + valueLength;
  }
  return entries;
}

/** A block of the attribute fork, as it is found by walking from the first. @throws CorruptFilesystemError */
export function parseXattrBlock(block: Uint8Array, hasStamps: boolean): XattrBlock {
  const form = hasStamps ? 'v5' : 'v4';
  const magic = readU16BE(block, 8);
  const count = readU16BE(block, COUNT_OFFSET[form]);
  if (magic === LEAF_MAGIC[form]) {
    return { level: 0, entries: leafEntries(block, count, LEAF_HEADER_BYTES[form]) };
  }
  if (magic !== NODE_MAGIC[form]) {
    throw new CorruptFilesystemError('no attribute block where one should be', { magic });
  }
  const level = readU16BE(block, COUNT_OFFSET[form] + 2);
  const header = NODE_HEADER_BYTES[form];
  if (level === 0 || level > MAX_LEVEL || count === 0) {
    throw new CorruptFilesystemError('node of an attribute tree', { level, count });
  }
  const children = Array.from({ length: count }, (_, child) =>
    readU32BE(block, header + child * ENTRY_BYTES + 4),
  );
  return { level, children };
}

function leafEntries(block: Uint8Array, count: number, header: number): XattrEntry[] {
  const entries: XattrEntry[] = [];
  for (let entry = 0; entry < count; entry++) {
    const at = header + entry * ENTRY_BYTES;
    const place = readU16BE(block, at + 4);
    const flags = readU8(block, at + 6);
    if (place < header + count * ENTRY_BYTES) {
      throw new CorruptFilesystemError('place of an attribute', { place, count });
    }
    entries.push(
      flags & XattrFlag.LOCAL ? localEntry(block, place, flags) : remoteEntry(block, place, flags),
    );
  }
  return entries;
}

function localEntry(block: Uint8Array, at: number, flags: number): XattrEntry {
  const valueLength = readU16BE(block, at);
  const nameLength = readU8(block, at + 2);
  const name = piece(block, at + 3, nameLength);
  return { flags, name, value: piece(block, at + 3 + nameLength, valueLength) };
}

function remoteEntry(block: Uint8Array, at: number, flags: number): XattrEntry {
  const value = { fileBlock: readU32BE(block, at), lengthBytes: readU32BE(block, at + 4) };
  if (value.lengthBytes > MAX_VALUE_BYTES) {
    throw new CorruptFilesystemError('value of an attribute longer than any', { ...value });
  }
  return { flags, name: piece(block, at + 9, readU8(block, at + 8)), value };
}

function piece(bytes: Uint8Array, at: number, length: number): Uint8Array {
  if (at + length > bytes.length)
    throw new CorruptFilesystemError('attribute beyond its block', { at, length });
  return bytes.slice(at, at + length);
}
