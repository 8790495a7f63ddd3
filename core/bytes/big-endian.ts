import { BytesOutOfRangeError, joinU64 } from './little-endian';

/** Big-endian fields: the jbd2 journal and XFS. */
export function readU16BE(bytes: Uint8Array, offset: number): number {
  if (offset < 0 || offset + 2 > bytes.length) throw new BytesOutOfRangeError(offset, 2, bytes.length);
  return (bytes[offset]! << 8) | bytes[offset + 1]!;
}

export function readU32BE(bytes: Uint8Array, offset: number): number {
  if (offset < 0 || offset + 4 > bytes.length) throw new BytesOutOfRangeError(offset, 4, bytes.length);
  return (
    ((bytes[offset]! << 24) | (bytes[offset + 1]! << 16) | (bytes[offset + 2]! << 8) | bytes[offset + 3]!) >>>
    0
  );
}

export function writeU16BE(bytes: Uint8Array, offset: number, value: number): void {
  if (offset < 0 || offset + 2 > bytes.length) throw new BytesOutOfRangeError(offset, 2, bytes.length);
  bytes[offset] = value >>> 8;
  bytes[offset + 1] = value;
}

export function writeU32BE(bytes: Uint8Array, offset: number, value: number): void {
  if (offset < 0 || offset + 4 > bytes.length) throw new BytesOutOfRangeError(offset, 4, bytes.length);
  bytes[offset] = value >>> 24;
  bytes[offset + 1] = value >>> 16;
  bytes[offset + 2] = value >>> 8;
  bytes[offset + 3] = value;
}

/** @throws NumberTooLargeError beyond 2^53 */
export function readU64BE(bytes: Uint8Array, offset: number): number {
  return joinU64(readU32BE(bytes, offset), readU32BE(bytes, offset + 4));
}
