import { readU32 } from '../../../../core/bytes/little-endian';
import { directoryHash, HashVersion } from '../../../../core/filesystem/ext4/directory-hash';

const NO_SEED = [0, 0, 0, 0];
/** e2fsprogs prints the four words as a UUID. */
const SEED_UUID = Buffer.from('a1b2c3d4e5f60718293a4b5c6d7e8f90', 'hex');
const SEED = [0, 4, 8, 12].map((offset) => readU32(SEED_UUID, offset));
const { legacy, halfMd4, tea, legacyUnsigned, halfMd4Unsigned, teaUnsigned } = HashVersion;
const LONG = 'x'.repeat(100);

/** `debugfs -R "dx_hash -h <version> [-s a1b2c3d4-e5f6-0718-293a-4b5c6d7e8f90] <name>"`, e2fsprogs 1.47.0. */
const VECTORS: readonly (readonly [
  version: number,
  name: string,
  seed: number[],
  major: number,
  minor: number,
])[] = [
  [legacy, 'a', NO_SEED, 0xe74b53e2, 0x0],
  [legacy, 'hello', NO_SEED, 0x32252546, 0x0],
  [legacy, LONG, NO_SEED, 0xf985a9f6, 0x0],
  [legacy, 'café', NO_SEED, 0x96ca5a2c, 0x0],
  [legacy, 'libgcc-s1:amd64.list', NO_SEED, 0xa3d1ee70, 0x0],
  [halfMd4, 'a', NO_SEED, 0xd5fa7d7a, 0xacb48187],
  [halfMd4, 'a', SEED, 0x73bfb0a, 0x7446406e],
  [halfMd4, 'hello', NO_SEED, 0x1746da32, 0x420013b5],
  [halfMd4, 'hello', SEED, 0xb230da8a, 0xd96b22d0],
  [halfMd4, LONG, NO_SEED, 0x23aa98ac, 0x9a974df1],
  [halfMd4, LONG, SEED, 0x1cadf8c2, 0x5af35500],
  [halfMd4, 'café', NO_SEED, 0xfb9c5e5c, 0x573e8b8],
  [halfMd4, 'café', SEED, 0xd8a5f700, 0xd1c14d05],
  [halfMd4, 'libgcc-s1:amd64.list', NO_SEED, 0x88e5934e, 0x1024023a],
  [halfMd4, 'libgcc-s1:amd64.list', SEED, 0x408724f2, 0x5b2bd8bb],
  [tea, 'a', NO_SEED, 0x6d0ea4c0, 0xc18922df],
  [tea, 'a', SEED, 0xc3d656bc, 0x334f477f],
  [tea, 'hello', NO_SEED, 0x6f5bb1a8, 0x231917c2],
  [tea, 'hello', SEED, 0xbdcaa196, 0xf19746ea],
  [tea, LONG, NO_SEED, 0x7353ab0e, 0xcecc2718],
  [tea, LONG, SEED, 0xd4e9c082, 0x355979f],
  [tea, 'café', NO_SEED, 0x105842ea, 0xfb9165ca],
  [tea, 'café', SEED, 0xbef5a12c, 0x3b2252f9],
  [tea, 'libgcc-s1:amd64.list', NO_SEED, 0x91fde96, 0x7cb18e1a],
  [tea, 'libgcc-s1:amd64.list', SEED, 0xd856389e, 0xaea10a98],
];

describe('directoryHash', () => {
  it.each(VECTORS)('version %i of %s as debugfs says', (version, name, seed, major, minor) => {
    expect(directoryHash(Buffer.from(name), version, seed)).toEqual({ major, minor });
  });

  it('signed and unsigned differ only for bytes above 127', () => {
    for (const [signed, unsigned] of [
      [legacy, legacyUnsigned],
      [halfMd4, halfMd4Unsigned],
      [tea, teaUnsigned],
    ] as const) {
      const hashes = (name: string): unknown[] =>
        [signed, unsigned].map((version) => directoryHash(Buffer.from(name), version, SEED));
      expect(hashes('plain')[0]).toEqual(hashes('plain')[1]);
      expect(hashes('café')[0]).not.toEqual(hashes('café')[1]);
    }
  });

  it('knows no other versions', () => {
    expect(directoryHash(Buffer.from('name'), HashVersion.sipHash, SEED)).toBeUndefined();
  });
});
