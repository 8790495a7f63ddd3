import fc from 'fast-check';
import {
  clearBits,
  clearRuns,
  countSetBits,
  isBitSet,
  nextClearBit,
  nextSetBit,
  setBits,
} from '../../../../../core/filesystem/ext4/write/bitmap';

const BITS = 400;
const anyBits = fc.array(fc.boolean(), { minLength: BITS, maxLength: BITS });
const anyRange = fc
  .tuple(fc.integer({ min: 0, max: BITS }), fc.integer({ min: 0, max: BITS }))
  .map(([a, b]) => [Math.min(a, b), Math.max(a, b)] as const);

function bitmapOf(bits: readonly boolean[]): Uint8Array {
  const bitmap = new Uint8Array(BITS / 8);
  bits.forEach((bit, n) => {
    if (bit) {
      bitmap[n >> 3]! |= 1 << (n % 8);
    }
  });
  return bitmap;
}

const bitsOf = (bitmap: Uint8Array): boolean[] => Array.from({ length: BITS }, (_, n) => isBitSet(bitmap, n));

describe('bitmaps', () => {
  it('find, count, set and clear as a list of bits would', () => {
    fc.assert(
      fc.property(anyBits, anyRange, (bits, [from, end]) => {
        const bitmap = bitmapOf(bits);
        const within = (wanted: boolean): number => {
          const found = bits.slice(from, end).indexOf(wanted);
          return found < 0 ? end : from + found;
        };
        expect(nextSetBit(bitmap, from, end)).toBe(within(true));
        expect(nextClearBit(bitmap, from, end)).toBe(within(false));
        expect(countSetBits(bitmap, from, end)).toBe(bits.slice(from, end).filter(Boolean).length);

        const set = bitmapOf(bits);
        setBits(set, from, end - from);
        expect(bitsOf(set)).toEqual(bits.map((bit, n) => bit || (n >= from && n < end)));
        const cleared = bitmapOf(bits);
        clearBits(cleared, from, end - from);
        expect(bitsOf(cleared)).toEqual(bits.map((bit, n) => bit && !(n >= from && n < end)));
      }),
    );
  });

  it('list the runs of clear bits, each as long as it can be', () => {
    fc.assert(
      fc.property(anyBits, anyRange, (bits, [from, end]) => {
        const rebuilt = bits.map(() => true);
        let last = -2;
        for (const { start, length } of clearRuns(bitmapOf(bits), from, end)) {
          expect(start).toBeGreaterThan(last + 1);
          expect(length).toBeGreaterThan(0);
          rebuilt.fill(false, start, start + length);
          last = start + length - 1;
        }
        expect(rebuilt).toEqual(bits.map((bit, n) => bit || n < from || n >= end));
      }),
    );
  });
});
