import fc from 'fast-check';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { serializeCacheFile, type LibraryCache } from '../../../core/records/ld-so-cache/cache-file';
import { ldSoCacheCodec } from '../../../core/records/ld-so-cache/codec';
import {
  compareEntries,
  compareLibraryNames,
  type LibraryEntry,
} from '../../../core/records/ld-so-cache/library-entry';
import { buildStringTable } from '../../../core/records/ld-so-cache/string-table';
import { RecordFormatError } from '../../../core/records/record-errors';

const fixtures = join(__dirname, '../../fixtures/records');
/** Written by ldconfig 2.36 for two hwcaps subdirectories in use, one without libraries, and a library in two places. */
const withHwcaps = readFileSync(join(fixtures, 'ld.so.cache-with-hwcaps'));
/** The same libraries by ldconfig 2.31, which knows no glibc-hwcaps. */
const older = readFileSync(join(fixtures, 'ld.so.cache-2.31'));

const AMD64 = 0x0303;
const Z = `libz.so.1 flags=0x${AMD64.toString(16)}`;

function pathsOf(bytes: Uint8Array, key: string): string[] {
  const record = ldSoCacheCodec.parse(bytes).records.get(key);
  return record ? (JSON.parse(Buffer.from(record).toString()) as { paths: string[] }).paths : [];
}

describe('ld.so.cache', () => {
  it('written by ldconfig with glibc-hwcaps keeps every byte when nothing changes', () => {
    const file = ldSoCacheCodec.parse(withHwcaps);
    expect(Buffer.compare(file.merge(new Map()), withHwcaps)).toBe(0);
    expect(Buffer.compare(file.merge(file.records), withHwcaps)).toBe(0);
  });

  it('has a record for each thing the dynamic linker can look up, and one for who wrote it', () => {
    expect([...ldSoCacheCodec.parse(withHwcaps).records.keys()]).toEqual([
      `${Z} hwcaps=x86-64-v2/0`,
      `${Z} hwcaps=x86-64-v3/0`,
      Z,
      'liblzma.so.5 flags=0x303',
      'libc.so.6 flags=0x303',
      'libbz2.so.1.0 flags=0x303',
      'generator',
    ]);
    expect(pathsOf(withHwcaps, Z)).toEqual([
      '/usr/local/lib/libz.so.1',
      '/usr/lib/x86_64-linux-gnu/libz.so.1',
    ]);
  });

  it('tells of the names that no library stands for', () => {
    expect(Buffer.from(ldSoCacheCodec.parse(withHwcaps).remainder).toString()).toBe('x86-64-v4');
  });

  it('is rebuilt to the byte when records go and come back', () => {
    const file = ldSoCacheCodec.parse(withHwcaps);
    for (const [key, record] of file.records) {
      if (key === 'generator') continue;
      const without = file.merge(new Map([[key, undefined]]));
      expect(pathsOf(without, key)).toEqual([]);
      const back = ldSoCacheCodec.parse(without).merge(new Map([[key, record]]));
      expect(Buffer.compare(back, withHwcaps)).toBe(0);
    }
  });

  it('of an older libc, which shares no strings and names no generator, is read and written too', () => {
    const file = ldSoCacheCodec.parse(older);
    expect(Buffer.compare(file.merge(new Map()), older)).toBe(0);
    expect([...file.records.keys()]).toEqual([
      Z,
      'liblzma.so.5 flags=0x303',
      'libc.so.6 flags=0x303 os=0x30200',
      'libbz2.so.1.0 flags=0x303',
    ]);
    const record = file.records.get(Z);
    const back = ldSoCacheCodec.parse(file.merge(new Map([[Z, undefined]]))).merge(new Map([[Z, record]]));
    expect(Buffer.compare(back, older)).toBe(0);
    const hwcaps = ldSoCacheCodec.parse(withHwcaps).records.get(`${Z} hwcaps=x86-64-v2/0`);
    expect(() => file.merge(new Map([[`${Z} hwcaps=x86-64-v2/0`, hwcaps]]))).toThrow(RecordFormatError);
  });

  it('takes the generator of a newer libc', () => {
    const merged = ldSoCacheCodec
      .parse(withHwcaps)
      .merge(new Map([['generator', Buffer.from('ldconfig 2.37')]]));
    expect(Buffer.from(merged).toString('latin1')).toMatch(/ldconfig 2\.37$/);
    expect(ldSoCacheCodec.parse(merged).records.size).toBe(7);
  });

  it.each([
    ['empty', (): Buffer => Buffer.alloc(0)],
    ['cut', () => withHwcaps.subarray(0, 400)],
    ['the old format', () => Buffer.concat([Buffer.from('ld.so-1.7.0'), withHwcaps])],
    ['another byte order', () => patched(28, 1)],
    ['a huge count', () => patched(23, 0x7f)],
    ['a string outside', () => patched(48 + 4 + 3, 1)],
    ['a subdirectory that is not listed', () => patched(48 + 16, 9)],
    ['an entry out of order of strings', () => Buffer.concat([withHwcaps, Buffer.from('x')])],
    ['another extension', () => patched(0x240, 0)],
  ])('that is %s is a plain file', (_, bytes) => {
    expect(() => ldSoCacheCodec.parse(bytes())).toThrow(RecordFormatError);
  });

  it.each([
    ['no JSON', 'x'],
    [
      'no paths',
      '{"soname":"libz.so.1","flags":771,"osVersion":0,"hwcap":{"kind":"bits","high":0,"low":0},"paths":[]}',
    ],
    [
      'another name',
      '{"soname":"libx.so","flags":771,"osVersion":0,"hwcap":{"kind":"bits","high":0,"low":0},"paths":["/x"]}',
    ],
    [
      'more than a record',
      '{"soname":"libz.so.1","flags":771,"osVersion":0,"hwcap":{"kind":"bits","high":0,"low":0},"paths":["/x"],"a":1}',
    ],
    [
      'a flag that is none',
      '{"soname":"libz.so.1","flags":-1,"osVersion":0,"hwcap":{"kind":"bits","high":0,"low":0},"paths":["/x"]}',
    ],
  ])('refuses a record with %s', (_, record) => {
    const file = ldSoCacheCodec.parse(withHwcaps);
    expect(() => file.merge(new Map([[Z, Buffer.from(record)]]))).toThrow(RecordFormatError);
  });

  it('never takes long over a damaged file, and never breaks but by its own error', () => {
    fc.assert(
      fc.property(fc.nat({ max: withHwcaps.length - 1 }), fc.nat({ max: 255 }), (at, value) => {
        const bytes = patched(at, value);
        try {
          expect(Buffer.compare(ldSoCacheCodec.parse(bytes).merge(new Map()), bytes)).toBe(0);
        } catch (error) {
          expect(error).toBeInstanceOf(RecordFormatError);
        }
      }),
      { numRuns: 500 },
    );
  });
});

function patched(at: number, value: number): Buffer {
  const bytes = Buffer.from(withHwcaps);
  bytes[at] = value;
  return bytes;
}

const libraries: fc.Arbitrary<LibraryEntry> = fc
  .record({
    stem: fc.constantFrom('libz', 'libc', 'libssl', 'libfoo-2', 'ld-linux'),
    version: fc.nat({ max: 12 }),
    directory: fc.constantFrom(
      '/lib',
      '/usr/lib/x86_64-linux-gnu',
      '/opt/a',
      '/usr/lib/glibc-hwcaps/x86-64-v3',
    ),
    flags: fc.constantFrom(AMD64, 0x0003, 0x0a03),
  })
  .map(({ stem, version, directory, flags }) => ({
    soname: `${stem}.so.${version}`,
    path: `${directory}/${stem}.so.${version}`,
    flags,
    osVersion: 0,
    hwcap: directory.endsWith('v3')
      ? { kind: 'subdirectory', name: 'x86-64-v3', isaLevel: 0 }
      : { kind: 'bits', high: 0, low: 0 },
  }));

function cacheOf(entries: readonly LibraryEntry[]): LibraryCache {
  return {
    entries: entries.toSorted(compareEntries),
    generator: 'ldconfig',
    saysByteOrder: true,
    unusedStrings: [],
  };
}

describe('merging libraries', () => {
  it("gives the file that was written for both machines' libraries at once", () => {
    const oneKey = (entry: LibraryEntry): string => `${entry.soname} ${entry.flags} ${entry.hwcap.kind}`;
    const distinct = fc.uniqueArray(libraries, { selector: oneKey, maxLength: 20 });
    fc.assert(
      fc.property(distinct, fc.nat({ max: 20 }), fc.nat({ max: 20 }), (all, from, to) => {
        const onA = all.slice(0, from);
        const added = all.slice(from, from + to);
        const onB = [...all.slice(from + to), ...onA];
        const before = ldSoCacheCodec.parse(serializeCacheFile(cacheOf(onA)));
        const after = ldSoCacheCodec.parse(serializeCacheFile(cacheOf([...onA, ...added])));
        const changes = new Map([...after.records].filter(([key]) => !before.records.has(key)));
        const merged = ldSoCacheCodec.parse(serializeCacheFile(cacheOf(onB))).merge(changes);
        expect(Buffer.compare(merged, serializeCacheFile(cacheOf([...onB, ...added])))).toBe(0);
      }),
    );
  });
});

describe("ldconfig's order", () => {
  it.each([
    ['libz.so.2', 'libz.so.10'],
    ['libz.so', 'libz.so.1'],
    ['liba.so.1', 'libb.so.1'],
    ['lib-x.so', 'lib1.so'],
  ])('has %s below %s', (low, high) => {
    expect(Math.sign(compareLibraryNames(low, high))).toBe(-1);
    expect(Math.sign(compareLibraryNames(high, low))).toBe(1);
  });

  it('shares the tails of strings', () => {
    const table = buildStringTable(['libz.so.1', '/lib/libz.so.1', 'so.1', 'libz.so.1']);
    expect(table.text).toBe('/lib/libz.so.1\0');
    expect([table.offsetOf('/lib/libz.so.1'), table.offsetOf('libz.so.1'), table.offsetOf('so.1')]).toEqual([
      0, 5, 10,
    ]);
  });
});
