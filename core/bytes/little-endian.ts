import { ImageElvesError } from '../errors';

/** A structure was read or written beyond the bytes it was said to have. On an image that means a corrupt length or pointer. */
export class BytesOutOfRangeError extends ImageElvesError {
  override readonly name = 'BytesOutOfRangeError';
  constructor(offset: number, width: number, lengthBytes: number) {
    super(`Bytes ${offset} to ${offset + width} are outside a structure of ${lengthBytes} bytes.`, {
      offset,
      width,
      lengthBytes,
    });
  }
}

/** A 64-bit value on the disk is too large for an exact JavaScript number; nothing on a real disk is. */
export class NumberTooLargeError extends ImageElvesError {
  override readonly name = 'NumberTooLargeError';
  constructor(high: number, low: number) {
    super(`64-bit value 0x${high.toString(16)}${low.toString(16).padStart(8, '0')} is beyond 2^53.`, {
      high,
      low,
    });
  }
}

const TWO_32 = 4_294_967_296;

function inRange(bytes: Uint8Array, offset: number, width: number): void {
  if (offset < 0 || offset + width > bytes.length) {
    throw new BytesOutOfRangeError(offset, width, bytes.length);
  }
}

export function readU8(bytes: Uint8Array, offset: number): number {
  inRange(bytes, offset, 1);
  return bytes[offset]!;
}

export function readU16(bytes: Uint8Array, offset: number): number {
  inRange(bytes, offset, 2);
  return bytes[offset]! | (bytes[offset + 1]! << 8);
}

export function readU32(bytes: Uint8Array, offset: number): number {
  inRange(bytes, offset, 4);
  return (
    (bytes[offset]! | (bytes[offset + 1]! << 8) | (bytes[offset + 2]! << 16) | (bytes[offset + 3]! << 24)) >>>
    0
  );
}

export function readI32(bytes: Uint8Array, offset: number): number {
  return readU32(bytes, offset) | 0;
}

/** @throws NumberTooLargeError beyond 2^53 */
export function readU64(bytes: Uint8Array, offset: number): number {
  return joinU64(readU32(bytes, offset + 4), readU32(bytes, offset));
}

export function writeU16(bytes: Uint8Array, offset: number, value: number): void {
  inRange(bytes, offset, 2);
  bytes[offset] = value;
  bytes[offset + 1] = value >>> 8;
}

/** Negative values are written as two's complement. */
export function writeU32(bytes: Uint8Array, offset: number, value: number): void {
  inRange(bytes, offset, 4);
  bytes[offset] = value;
  bytes[offset + 1] = value >>> 8;
  bytes[offset + 2] = value >>> 16;
  bytes[offset + 3] = value >>> 24;
}

export function writeU64(bytes: Uint8Array, offset: number, value: number): void {
  writeU32(bytes, offset, lowU32(value));
  writeU32(bytes, offset + 4, highU32(value));
}

/**
 * Joins the two halves in which disk formats keep 64-bit fields (often apart from each other).
 * @throws NumberTooLargeError beyond 2^53
 */
export function joinU64(high: number, low: number): number {
  if (high > 0x1fffff) throw new NumberTooLargeError(high, low);
  return high * TWO_32 + low;
}

export function lowU32(value: number): number {
  return value % TWO_32;
}

export function highU32(value: number): number {
  return Math.floor(value / TWO_32);
}
