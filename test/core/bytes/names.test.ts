import fc from 'fast-check';
import { decodeName, encodeName } from '../../../core/bytes/names';

describe('names', () => {
  it('any bytes survive the way through a string', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 255 }), (bytes) => {
        expect(encodeName(decodeName(bytes))).toEqual(bytes);
      }),
    );
  });

  it('valid UTF-8 is read as what it says', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (name) => {
        fc.pre(name.isWellFormed());
        const bytes = new TextEncoder().encode(name);
        expect(decodeName(bytes)).toBe(name);
        expect(encodeName(name)).toEqual(bytes);
      }),
    );
  });

  // Python 3: bytes.fromhex(...).decode('utf-8', 'surrogateescape')
  it.each([
    ['ff', '\udcff'],
    ['c3', '\udcc3'],
    ['eda080', '\udced\udca0\udc80'],
    ['f09fa6', '\udcf0\udc9f\udca6'],
    ['c0af', '\udcc0\udcaf'],
    ['f4908080', '\udcf4\udc90\udc80\udc80'],
    ['6de92d636166c3a9', 'm\udce9-café'],
    ['efbbbf61', '\ufeffa'],
  ])('%s is escaped as Python does it', (hex, name) => {
    expect(decodeName(Buffer.from(hex, 'hex'))).toBe(name);
  });
});
