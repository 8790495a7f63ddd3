import fc from 'fast-check';
import {
  BytesOutOfRangeError,
  NumberTooLargeError,
  readI32,
  readU16,
  readU32,
  readU64,
  writeU16,
  writeU32,
  writeU64,
} from '../../../core/bytes/little-endian';

describe('little-endian fields', () => {
  it('read as DataView reads them', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 9, maxLength: 9 }), (bytes) => {
        const view = new DataView(bytes.buffer, bytes.byteOffset);
        expect(readU16(bytes, 1)).toBe(view.getUint16(1, true));
        expect(readU32(bytes, 1)).toBe(view.getUint32(1, true));
        expect(readI32(bytes, 1)).toBe(view.getInt32(1, true));
      }),
    );
  });

  it('are read back as they were written', () => {
    fc.assert(
      fc.property(fc.nat(0xffff), fc.nat(0xffffffff), fc.maxSafeNat(), (narrow, word, wide) => {
        const bytes = new Uint8Array(16);
        writeU16(bytes, 0, narrow);
        writeU32(bytes, 2, word);
        writeU64(bytes, 6, wide);
        expect([readU16(bytes, 0), readU32(bytes, 2), readU64(bytes, 6)]).toEqual([narrow, word, wide]);
        expect(new DataView(bytes.buffer).getBigUint64(6, true)).toBe(BigInt(wide));
      }),
    );
  });

  it('refuse to be inexact or to run over the end', () => {
    expect(() => readU64(new Uint8Array(8).fill(0xff), 0)).toThrow(NumberTooLargeError);
    expect(() => readU32(new Uint8Array(4), 1)).toThrow(BytesOutOfRangeError);
    expect(() => writeU16(new Uint8Array(4), -1, 0)).toThrow(BytesOutOfRangeError);
  });
});
