import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { Lz4Error, unpackLz4 } from '../../../core/records/lz4-frame';

/** Made by `lz4 -9 -BD -B4` of `list`: several blocks, each copying from those before it. */
const packed = readFileSync(join(__dirname, '../../fixtures/records/list.lz4'));
const list = Array.from(
  { length: 9000 },
  (_, i) => `Package: p${i % 97}\nVersion: ${(i * 7919) % 1000}\n\n`,
).join('');

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');

describe('unpackLz4', () => {
  it('gives back what lz4 packed', () => {
    expect(text(unpackLz4(packed, 1e6)) === list).toBe(true);
  });

  it('reads frames one after the other, those to be skipped too', () => {
    const skipped = Buffer.from('502a4d1803000000616263', 'hex');
    expect(unpackLz4(Buffer.concat([packed, skipped, packed]), 1e6)).toHaveLength(2 * list.length);
    expect(unpackLz4(new Uint8Array(), 1e6)).toHaveLength(0);
  });

  it('reads blocks that are stored as they are', () => {
    const frame = Buffer.from('04224d1840400003000080616263' + '00000000', 'hex');
    expect(text(unpackLz4(frame, 10))).toBe('abc');
  });

  it.each([
    ['another format', Buffer.from('not an LZ4 frame')],
    ['a cut frame', packed.subarray(0, packed.length - 9)],
    [
      'a copy from before the start',
      Buffer.from('04224d18404000' + '04000000' + '10610500' + '00000000', 'hex'),
    ],
    ['a dictionary', Buffer.from('04224d184140000000000000000000', 'hex')],
  ])('refuses %s', (_, bytes) => {
    expect(() => unpackLz4(bytes, 1e6)).toThrow(Lz4Error);
  });

  it('puts out no more than it may', () => {
    expect(() => unpackLz4(packed, list.length - 1)).toThrow('more than');
    expect(unpackLz4(packed, list.length)).toHaveLength(list.length);
  });

  it('survives damage: its own error, or other bytes', () => {
    fc.assert(
      fc.property(fc.nat({ max: packed.length - 1 }), fc.nat({ max: 255 }), (at, value) => {
        const damaged = Buffer.from(packed);
        damaged[at] = value;
        try {
          expect(unpackLz4(damaged, 1e6).length).toBeLessThanOrEqual(1e6);
        } catch (error) {
          expect(error).toBeInstanceOf(Lz4Error);
        }
      }),
    );
  });
});
