import { readU32BE, readU64BE } from '../../bytes/big-endian';
import { readU32 } from '../../bytes/little-endian';
import { CorruptFilesystemError } from '../errors';
import { crc32c, CRC32C_START, crc32cZeros } from '../../bytes/checksum';

/** Where a kind of version 5 block keeps what it says of itself: offsets in bytes. */
export interface StampLayout {
  readonly what: string;
  readonly crc: number;
  readonly address: number;
  readonly uuid: number;
  readonly owner: number;
  /** Owners are inodes, except in the trees of an allocation group. */
  readonly ownerBytes?: 4;
}

/** What the stamp must say. */
export interface Stamp {
  /** Where on the volume the block begins. */
  readonly offsetBytes: number;
  readonly owner: number;
  readonly uuid: Uint8Array;
}

/** Addresses in stamps count sectors of 512 bytes, whatever the sector size. */
const ADDRESS_UNIT = 512;

/**
 * CRC-32C over a whole structure, its own field as zeros. Stored little-endian, alone in a big-endian format.
 * @throws CorruptFilesystemError
 */
export function verifyChecksum(bytes: Uint8Array, crcOffset: number, what: string, where: number): void {
  const before = crc32cZeros(crc32c(CRC32C_START, bytes, 0, crcOffset), 4);
  const expected = ~crc32c(before, bytes, crcOffset + 4) >>> 0;
  const found = readU32(bytes, crcOffset);
  if (found !== expected) throw new CorruptFilesystemError(what, { where, expected, found });
}

/**
 * Checksum, filesystem, place and owner of a version 5 block: a block that was written elsewhere, or for another, or
 * before the last mkfs, is not taken for what should be there.
 * @throws CorruptFilesystemError
 */
export function verifyStamp(bytes: Uint8Array, layout: StampLayout, stamp: Stamp): void {
  const { what } = layout;
  const { offsetBytes, owner } = stamp;
  verifyChecksum(bytes, layout.crc, `checksum of ${what}`, offsetBytes);
  if (!isUuidAt(bytes, layout.uuid, stamp.uuid)) {
    throw new CorruptFilesystemError(`${what} of another filesystem`, { offsetBytes });
  }
  const address = readU64BE(bytes, layout.address);
  if (address * ADDRESS_UNIT !== offsetBytes) {
    throw new CorruptFilesystemError(`${what} in another's place`, { offsetBytes, address });
  }
  const found = layout.ownerBytes === 4 ? readU32BE(bytes, layout.owner) : readU64BE(bytes, layout.owner);
  if (found !== owner) {
    throw new CorruptFilesystemError(`${what} of another owner`, { offsetBytes, owner, found });
  }
}

export function isUuidAt(bytes: Uint8Array, offset: number, uuid: Uint8Array): boolean {
  for (let at = 0; at < 16; at++) if (bytes[offset + at] !== uuid[at]) return false;
  return true;
}
