/** Cyclic redundancy checks that S3 takes and node:zlib does not have, byte by byte over a reflected table. */

const CRC32C_POLYNOMIAL = 0x82f63b78;
const crc32cTable = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ CRC32C_POLYNOMIAL : value >>> 1;
  return value >>> 0;
});

/** CRC-32C (Castagnoli), RFC 3720 appendix B.4. */
export function crc32c(bytes: Uint8Array): number {
  let value = 0xffffffff;
  for (const byte of bytes) value = (value >>> 8) ^ (crc32cTable[(value ^ byte) & 0xff] as number);
  return (value ^ 0xffffffff) >>> 0;
}

/** The polynomial of CRC-64/NVME (NVM Express NVM command set, 64b CRC), reflected. */
const CRC64_POLYNOMIAL = 0x9a6c9329ac4bc9b5n;
const crc64High = new Uint32Array(256);
const crc64Low = new Uint32Array(256);
for (let byte = 0; byte < 256; byte++) {
  let value = BigInt(byte);
  for (let bit = 0; bit < 8; bit++) value = value & 1n ? (value >> 1n) ^ CRC64_POLYNOMIAL : value >> 1n;
  crc64High[byte] = Number(value >> 32n);
  crc64Low[byte] = Number(value & 0xffffffffn);
}

/** CRC-64/NVME, as two 32-bit halves, since BigInt arithmetic for each byte would be slow. */
export function crc64nvme(bytes: Uint8Array): { high: number; low: number } {
  let high = 0xffffffff;
  let low = 0xffffffff;
  for (const byte of bytes) {
    const index = (low ^ byte) & 0xff;
    low = ((low >>> 8) | (high << 24)) ^ (crc64Low[index] as number);
    high = (high >>> 8) ^ (crc64High[index] as number);
  }
  return { high: ~high >>> 0, low: ~low >>> 0 };
}
