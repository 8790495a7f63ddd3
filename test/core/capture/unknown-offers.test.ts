import { dueCandidates } from '../../../core/capture/due-candidates';
import type { Manifest } from '../../../core/manifest/manifest-schema';
import { findDuePackages } from '../../../core/match/due-packages';
import type { PackagesUpdate } from '../../../core/update/update';
import { MemoryFilesystem } from '../../support/memory-filesystem';
import { MemoryImage } from '../../support/memory-image';

/**
 * The benchmark of classification found machines patched falsely: of a source `file:` apt keeps links to indexes in the place
 * of lists, so that nothing seemed to be offered for packages which the representative does not have.
 */
const LIST = '/var/lib/apt/lists/_run_repository_._Packages';

async function machine(versions: Readonly<Record<string, string>>) {
  const files = new MemoryFilesystem();
  const stanzas = Object.entries(versions).map(
    ([name, version]) =>
      `Package: ${name}\nStatus: install ok installed\nArchitecture: all\nVersion: ${version}\n\n`,
  );
  await files.put('/var/lib/dpkg/status', stanzas.join(''));
  await files.makeParents(LIST);
  await files.symlink(LIST, '/run/repository/./Packages', {
    mode: 0o777,
    uid: 0,
    gid: 0,
    mtimeNs: 0n,
    xattrs: new Map(),
  });
  return new MemoryImage(files);
}

const update = (select: PackagesUpdate['select']): PackagesUpdate => ({
  name: 'u',
  kind: 'packages',
  select,
});

async function refused(
  select: PackagesUpdate['select'],
  member: Readonly<Record<string, string>>,
): Promise<string[]> {
  const { due, warnings } = await dueCandidates(
    await machine({ alpha: '2', tool: '1' }),
    update(select),
    new Set(['alpha:all', 'tool:all', 'beta:all']),
  );
  expect(warnings).toEqual([expect.stringContaining(LIST)]);
  const found = await findDuePackages({ due, operations: [] } as unknown as Manifest, await machine(member));
  return found.map(({ record = '' }) => record);
}

test.each<[string, PackagesUpdate['select'], Record<string, string>, string[]]>([
  ['has no other package', 'security', { alpha: '2', tool: '1' }, []],
  ['lacks one', 'security', { alpha: '2' }, []],
  ['has one that may be due', 'security', { alpha: '2', beta: '1' }, ['beta:all']],
  ['has one in an older version', 'all', { alpha: '2', tool: '0.9' }, ['tool:all']],
  ['has one that nobody asked for', ['alpha'], { alpha: '2', beta: '1' }, []],
  ['has one that was asked for', ['alpha', 'beta'], { alpha: '2', beta: '1' }, ['beta:all']],
])('where lists cannot be read, a machine that %s', async (_what, select, member, records) => {
  expect(await refused(select, member)).toEqual(records);
});
