import { BytesOutOfRangeError } from './little-endian';

/** CRC-32C (Castagnoli) and CRC-16 as ext4, jbd2 and XFS use them: running values, without the final inversion. */

const CRC32C_POLYNOMIAL = 0x82f63b78;
const CRC16_POLYNOMIAL = 0xa001;

/** Eight tables of 256 entries: table k advances a byte that lies k bytes before the end of an 8-byte step. */
const CRC32C_TABLES = (() => {
  const tables = new Uint32Array(8 * 256);
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ CRC32C_POLYNOMIAL : crc >>> 1;
    tables[byte] = crc;
  }
  for (let entry = 256; entry < tables.length; entry++) {
    const shorter = tables[entry - 256]!;
    tables[entry] = (shorter >>> 8) ^ tables[shorter & 0xff]!;
  }
  return tables;
})();

const CRC16_TABLE = Uint16Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ CRC16_POLYNOMIAL : crc >>> 1;
  return crc;
});

/** Bytes from which on it is quicker to look at words than at bytes, a view of them included. */
const WORDS_PAY_BYTES = 256;

/** First value of a new checksum. */
export const CRC32C_START = 0xffffffff;

/**
 * Goes on with the running CRC-32C `crc` over bytes [start, end). The usual CRC-32C of a message is the inverse of
 * the value that starts at `CRC32C_START`.
 * @throws BytesOutOfRangeError
 */
export function crc32c(crc: number, bytes: Uint8Array, start = 0, end = bytes.length): number {
  // A length from a hostile image: the words behind the bytes may well be there, and are not theirs.
  if (end > bytes.length) throw new BytesOutOfRangeError(start, end - start, bytes.length);
  const offset = bytes.byteOffset + start;
  if (end - start >= WORDS_PAY_BYTES && offset % 4 === 0) {
    const count = (end - start) >>> 2;
    const value = crc32cWords(crc, new Int32Array(bytes.buffer, offset, count), 0, count);
    return crc32cBytes(value, bytes, start + count * 4, end);
  }
  return crc32cBytes(crc, bytes, start, end);
}

function crc32cBytes(crc: number, bytes: Uint8Array, start: number, end: number): number {
  const tables = CRC32C_TABLES;
  let at = start;
  let value = crc | 0;
  for (const stop = end - 7; at < stop; at += 8) {
    value ^= bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
    value =
      tables[1792 + (value & 0xff)]! ^
      tables[1536 + ((value >>> 8) & 0xff)]! ^
      tables[1280 + ((value >>> 16) & 0xff)]! ^
      tables[1024 + (value >>> 24)]! ^
      tables[768 + bytes[at + 4]!]! ^
      tables[512 + bytes[at + 5]!]! ^
      tables[256 + bytes[at + 6]!]! ^
      tables[bytes[at + 7]!]!;
  }
  for (; at < end; at++) value = tables[(value ^ bytes[at]!) & 0xff]! ^ (value >>> 8);
  return value >>> 0;
}

/**
 * As `crc32c`, over 32-bit words as they lie in memory. Typed arrays have the byte order of the machine, which is the
 * disk's own wherever Node runs but on s390x.
 */
export function crc32cWords(crc: number, words: Int32Array, start: number, end: number): number {
  const tables = CRC32C_TABLES;
  let value = crc | 0;
  let at = start;
  for (; at + 1 < end; at += 2) {
    value ^= words[at]!;
    const next = words[at + 1]!;
    value =
      tables[1792 + (value & 0xff)]! ^
      tables[1536 + ((value >>> 8) & 0xff)]! ^
      tables[1280 + ((value >>> 16) & 0xff)]! ^
      tables[1024 + (value >>> 24)]! ^
      tables[768 + (next & 0xff)]! ^
      tables[512 + ((next >>> 8) & 0xff)]! ^
      tables[256 + ((next >>> 16) & 0xff)]! ^
      tables[next >>> 24]!;
  }
  return at < end ? crc32cU32(value, words[at]!) : value >>> 0;
}

/** Goes on over `count` zero bytes: how checksum fields count in their own structure. */
export function crc32cZeros(crc: number, count: number): number {
  let value = crc | 0;
  for (let done = 0; done < count; done++) value = CRC32C_TABLES[value & 0xff]! ^ (value >>> 8);
  return value >>> 0;
}

/** Goes on over one little-endian 32-bit number. */
export function crc32cU32(crc: number, number: number): number {
  let value = crc ^ number;
  for (let done = 0; done < 4; done++) value = CRC32C_TABLES[value & 0xff]! ^ (value >>> 8);
  return value >>> 0;
}

/** First value of a new CRC-16. */
export const CRC16_START = 0xffff;

/** CRC-16 (polynomial 0x8005 reflected) of the gdt_csum feature, running. */
export function crc16(crc: number, bytes: Uint8Array, start = 0, end = bytes.length): number {
  let value = crc;
  for (let at = start; at < end; at++) value = CRC16_TABLE[(value ^ bytes[at]!) & 0xff]! ^ (value >>> 8);
  return value;
}
