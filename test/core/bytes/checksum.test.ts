import fc from 'fast-check';
import { crc16, crc32c, CRC32C_START, crc32cU32, crc32cZeros } from '../../../core/bytes/checksum';

const whole = (bytes: Uint8Array): number => ~crc32c(CRC32C_START, bytes) >>> 0;
const CHECK = Buffer.from('123456789');

describe('crc32c', () => {
  // RFC 3720, appendix B.4, and the check value of CRC-32C.
  it.each([
    ['zeros', new Uint8Array(32), 0x8a9136aa],
    ['ones', new Uint8Array(32).fill(0xff), 0x62a8ab43],
    ['ascending', Uint8Array.from({ length: 32 }, (_, index) => index), 0x46dd794e],
    ['descending', Uint8Array.from({ length: 32 }, (_, index) => 31 - index), 0x113fdb5c],
    ['the check string', CHECK, 0xe3069283],
  ])('of %s', (_name, bytes, expected) => {
    expect(whole(bytes)).toBe(expected);
  });

  it('may be made piece by piece, at any length', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), fc.nat(100), fc.nat(100), (bytes, a, b) => {
        const [first, second] = [Math.min(a, b, bytes.length), Math.min(Math.max(a, b), bytes.length)];
        const pieces = [bytes.subarray(0, first), bytes.subarray(first, second), bytes.subarray(second)];
        const joined = pieces.reduce((crc, piece) => crc32c(crc, piece), CRC32C_START);
        expect(joined).toBe(crc32c(CRC32C_START, bytes));
        expect(crc32c(CRC32C_START, bytes, first, second)).toBe(crc32c(CRC32C_START, pieces[1]!));
      }),
    );
  });

  it('counts zeros and numbers as their bytes', () => {
    fc.assert(
      fc.property(fc.nat(0xffffffff), fc.nat(20), (number, zeros) => {
        expect(crc32cZeros(number, zeros)).toBe(crc32c(number, new Uint8Array(zeros)));
        const bytes = new Uint8Array(Uint32Array.of(number).buffer);
        expect(crc32cU32(CRC32C_START, number)).toBe(crc32c(CRC32C_START, bytes));
      }),
    );
  });
});

describe('crc16', () => {
  // CRC-16/ARC has this check value from 0, CRC-16/MODBUS from 0xffff.
  it.each([
    [0, 0xbb3d],
    [0xffff, 0x4b37],
  ])('from %i', (start, expected) => {
    expect(crc16(start, CHECK)).toBe(expected);
  });
});
