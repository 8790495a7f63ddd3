import { findPackagesBrought } from '../../../core/match/due-packages';
import type { Manifest } from '../../../core/manifest/manifest-schema';
import { digestOf } from '../../../core/chunk-store/digest';
import { aptExtendedStatesCodec } from '../../../core/records/apt-extended-states';
import { MemoryFilesystem } from '../../support/memory-filesystem';
import { MemoryImage } from '../../support/memory-image';

/**
 * The benchmark of classification found machines patched falsely: what an update newly needs was there already, and was then
 * marked as brought along.
 */
const STATUS = '/var/lib/dpkg/status';

async function machine(...names: readonly string[]): Promise<MemoryImage> {
  const files = new MemoryFilesystem();
  const stanzas = names.map(
    (name) => `Package: ${name}\nStatus: install ok installed\nArchitecture: all\nVersion: 1\n\n`,
  );
  await files.put(STATUS, stanzas.join(''));
  return new MemoryImage(files);
}

const records = [
  { key: 'delta:all', before: 'sha256:1', after: 'sha256:2' },
  { key: 'epsilon:all', before: 'absent', after: 'sha256:3' },
];
const marks = [{ key: 'epsilon:all', before: 'absent', after: 'sha256:4' }];
const status = { kind: 'put-record', path: STATUS, records };
const states = { kind: 'put-record', path: '/var/lib/apt/extended_states', records: marks };
const manifest = { operations: [status, states] } as unknown as Manifest;

test('a machine that has a package which the update brings is told', async () => {
  expect(await findPackagesBrought(manifest, await machine('delta', 'epsilon'))).toEqual([
    expect.objectContaining({ path: STATUS, record: 'epsilon:all', found: '1' }),
  ]);
});

test('also where the package is for all architectures, and apt marks it with the machine’s own', async () => {
  const own = [{ key: 'epsilon:amd64', before: 'absent', after: 'sha256:4' }];
  const marked = { operations: [status, { ...states, records: own }] } as unknown as Manifest;
  expect(await findPackagesBrought(marked, await machine('delta', 'epsilon'))).toHaveLength(1);
  expect(await findPackagesBrought(marked, await machine('delta'))).toEqual([]);
});

test('a machine without it is not', async () => {
  expect(await findPackagesBrought(manifest, await machine('delta', 'other'))).toEqual([]);
});

test('one that was brought by dpkg alone is marked nowhere', async () => {
  const byDpkg = { operations: [status] } as unknown as Manifest;
  expect(await findPackagesBrought(byDpkg, await machine('delta', 'epsilon'))).toEqual([]);
});

test('one that was brought along here too is as the update leaves it', async () => {
  const text = 'Package: epsilon\nArchitecture: all\nAuto-Installed: 1\n\n';
  const mark = aptExtendedStatesCodec.parse(Buffer.from(text)).records.get('epsilon:all')!;
  const own = await machine('delta', 'epsilon');
  await (own.mounts[0]!.filesystem as MemoryFilesystem).put('/var/lib/apt/extended_states', text);
  const same = [{ key: 'epsilon:all', before: 'absent', after: digestOf(mark) }];
  const manifestHere = { operations: [status, { ...states, records: same }] } as unknown as Manifest;
  const differences = await findPackagesBrought(manifestHere, own);
  expect(differences).toEqual([]);
  expect(await findPackagesBrought(manifest, own)).toHaveLength(1);
});
