import fc from 'fast-check';
import { digestOf } from '../../../core/chunk-store/digest';
import { isImagePath } from '../../../core/manifest/image-path';
import { parseManifest } from '../../../core/manifest/parse-manifest';
import { serializeManifest } from '../../../core/manifest/serialize-manifest';
import type { Manifest, Operation } from '../../../core/manifest/manifest-schema';
import { MemoryFilesystem } from '../../support/memory-filesystem';
import { MemoryImage } from '../../support/memory-image';
import { captureUpdate } from '../../support/pipeline';

const metadata = { mode: 0o644, uid: 0, gid: 0, mtimeNs: '0', xattrs: {} };
const some = digestOf(new Uint8Array([1]));
const other = digestOf(new Uint8Array([2]));

async function captured(): Promise<Manifest> {
  const before = new MemoryFilesystem();
  await before.put('/etc/app.conf', 'one');
  const after = before.clone();
  await after.put('/etc/app.conf', 'two');
  return (await captureUpdate(new MemoryImage(before), new MemoryImage(after))).manifest;
}

function parse(value: unknown): Manifest {
  const bytes = new TextEncoder().encode(JSON.stringify(value));
  return parseManifest(bytes, digestOf(bytes));
}

async function parseOperations(...operations: unknown[]): Promise<Manifest> {
  const manifest = await captured();
  const frames = [{ offsetBytes: 0, storedBytes: 10, chunks: [{ digest: some, sizeBytes: 1 }] }];
  return parse({ ...manifest, operations, packs: [{ digest: other, sizeBytes: 10, frames }] });
}

const put = (path: string): Operation => ({
  kind: 'put-file',
  path,
  before: 'absent',
  after: some,
  content: some,
  sizeBytes: 1,
  metadata,
});
const makeDirectory = (path: string): Operation => ({
  kind: 'make-directory',
  path,
  before: 'absent',
  after: some,
  metadata,
});

describe('a manifest', () => {
  it('is read back as it was written, and equal manifests have equal bytes', async () => {
    const manifest = await captured();
    const { bytes, digest } = serializeManifest(manifest);
    expect(parseManifest(bytes, digest)).toEqual(manifest);
    const shuffled = Object.fromEntries(Object.entries(manifest).reverse()) as Manifest;
    expect(serializeManifest(shuffled).digest).toBe(digest);
  });

  it('keeps names that are not UTF-8', async () => {
    const before = new MemoryFilesystem();
    const after = before.clone();
    await after.put('/caf\udce9', 'latin-1 name');
    const { manifest } = await captureUpdate(new MemoryImage(before), new MemoryImage(after));
    expect(manifest.operations[0]!.path).toBe('/caf\udce9');
  });

  it('of another digest is refused', async () => {
    const { bytes } = serializeManifest(await captured());
    expect(() => parseManifest(bytes, some)).toThrow(
      expect.objectContaining({ name: 'ManifestDigestError' }),
    );
  });

  it('of another version is refused by that, whatever else it has', () => {
    const refused = expect.objectContaining({ name: 'ManifestVersionError' });
    expect(() => parse({ version: 1 })).toThrow(refused);
    expect(() => parse([])).toThrow(refused);
    expect(() => parse(null)).toThrow(refused);
  });

  it('that is not JSON is refused', () => {
    const bytes = new Uint8Array([0x7b, 0xff]);
    expect(() => parseManifest(bytes, digestOf(bytes))).toThrow(
      expect.objectContaining({ name: 'ManifestInvalidError', message: expect.stringContaining('not JSON') }),
    );
  });
});

describe('operations that must not be performed are refused', () => {
  const link = { kind: 'make-hard-link', path: '/b', before: 'absent', after: other, existingPath: '/a' };
  const remove = { kind: 'remove', path: '/a', before: some, after: 'absent' };
  const setMetadata = { kind: 'set-metadata', path: '/a', before: some, after: other, metadata };

  it.each<[string, unknown[], RegExp]>([
    ['a path that climbs', [put('/etc/../root')], /at \/operations\/0/],
    ['a relative path', [put('etc/passwd')], /at \/operations\/0/],
    ['an empty name in a path', [put('/etc//passwd')], /at \/operations\/0/],
    ['a NUL in a path', [put('/etc/pass\0wd')], /at \/operations\/0/],
    ['a name that is too long', [put(`/${'x'.repeat(256)}`)], /is not a path of an image/],
    ['removing the root', [{ ...remove, path: '/' }], /the root can only get metadata/],
    [
      'a mode with type bits',
      [{ ...put('/a'), metadata: { ...metadata, mode: 0o100644 } }],
      /at \/operations\/0/,
    ],
    ['a negative size', [{ ...put('/a'), sizeBytes: -1 }], /at \/operations\/0/],
    [
      'a size that is not that of the content',
      [{ ...put('/a'), sizeBytes: 2 }],
      /its content has 1 bytes, not 2/,
    ],
    ['a content that no pack holds', [{ ...put('/a'), content: other }], /no pack holds its content/],
    ['a file below a file', [put('/a'), put('/a/b')], /no directory at "\/a"/],
    ['a file below what was removed', [remove, put('/a/b')], /no directory at "\/a"/],
    ['a path twice, the second time unexpected', [put('/a'), put('/a')], /leaves its path in another state/],
    ['a link to itself', [{ ...link, existingPath: '/b' }], /its existing path is not/],
    ['a link to something else', [put('/a'), link], /its existing path is not/],
    [
      'an unknown extended attribute',
      [{ ...setMetadata, metadata: { ...metadata, xattrs: { x: '' } } }],
      /called x/,
    ],
    [
      'an extended attribute that is not base64',
      [{ ...setMetadata, metadata: { ...metadata, xattrs: { 'user.x': '!' } } }],
      /user\.x is not base64/,
    ],
  ])('%s', async (_what, operations, problem) => {
    await expect(parseOperations(...operations)).rejects.toMatchObject({
      name: 'ManifestInvalidError',
      message: expect.stringMatching(problem),
    });
  });

  it('and those that hang together are taken', async () => {
    const operations = [
      remove,
      makeDirectory('/a'),
      put('/a/b'),
      { ...link, after: some, existingPath: '/a/b', path: '/a/c' },
      { ...setMetadata, path: '/a' },
    ];
    await expect(parseOperations(...operations)).resolves.toMatchObject({ operations });
  });

  it('a frame beyond its pack', async () => {
    const manifest = await captured();
    const frames = [{ offsetBytes: 5, storedBytes: 10, chunks: [{ digest: some, sizeBytes: 1 }] }];
    const packs = [{ digest: other, sizeBytes: 10, frames }];
    expect(() => parse({ ...manifest, operations: [], packs })).toThrow(/reaches beyond its pack/);
  });

  it('any change of one value never gives more than a typed error', async () => {
    const manifest = await captured();
    const text = JSON.stringify(manifest);
    fc.assert(
      fc.property(
        fc.nat(text.length - 1),
        fc.constantFrom('"', '{', '0', '-', ']', 'x', '\\'),
        (at, character) => {
          const bytes = new TextEncoder().encode(text.slice(0, at) + character + text.slice(at + 1));
          try {
            parseManifest(bytes, digestOf(bytes));
          } catch (error) {
            expect(error).toMatchObject({ name: expect.stringMatching(/^Manifest(Invalid|Version)Error$/) });
          }
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe('isImagePath', () => {
  it('takes what a filesystem can hold and nothing that leaves it', () => {
    expect(['/', '/a', '/a/b.c', '/...', '/a/..b', '/ü'].filter((path) => !isImagePath(path))).toEqual([]);
    expect(['', 'a', '/a/', '//', '/.', '/..', '/a/./b', '/a/..', '/a\0'].filter(isImagePath)).toEqual([]);
  });
});
