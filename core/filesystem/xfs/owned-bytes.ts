import type { ByteRange } from '../../block-device/block-device';
import { readU32BE } from '../../bytes/big-endian';
import { CorruptFilesystemError } from '../errors';
import type { Volume } from './volume';

/** Bytes that one inode owns in blocks of their own: a long attribute value or symbolic link. */
export interface OwnedBytes {
  readonly what: string;
  /** Of the header that version 5 puts before the bytes of each range. */
  readonly magic: number;
  readonly owner: number;
  readonly lengthBytes: number;
}

const HEADER_BYTES = 56;

/** How many of the bytes a range of that length holds. */
export function roomForBytes(rangeBytes: number, hasStamps: boolean): number {
  return hasStamps ? rangeBytes - HEADER_BYTES : rangeBytes;
}

/**
 * Reads such bytes. Version 4 has them as they are; in version 5 each range says what, where and whose it is, and how
 * much of the bytes it holds.
 * @throws CorruptFilesystemError
 */
export function readOwnedBytes(
  volume: Volume,
  ranges: readonly ByteRange[],
  { what, magic, owner, lengthBytes }: OwnedBytes,
): Uint8Array {
  const { hasStamps } = volume.superblock;
  volume.need(ranges);
  const bytes = new Uint8Array(lengthBytes);
  let at = 0;
  for (const range of ranges) {
    const room = roomForBytes(range.lengthBytes, hasStamps);
    const length = Math.min(room, lengthBytes - at);
    const block = volume.block({ ...range, owner }, { what, crc: 12, uuid: 16, owner: 32, address: 40 });
    const isRight =
      !hasStamps ||
      (readU32BE(block, 0) === magic && readU32BE(block, 4) === at && readU32BE(block, 8) === length);
    if (!isRight) throw new CorruptFilesystemError(`block of ${what}`, { inode: owner, at, length });
    bytes.set(block.subarray(range.lengthBytes - room, range.lengthBytes - room + length), at);
    at += length;
  }
  if (at < lengthBytes)
    throw new CorruptFilesystemError(`${what} with a hole`, { inode: owner, lengthBytes });
  return bytes;
}
