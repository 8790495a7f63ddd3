import { codecFor } from '../../../core/records/registry';
import { matchImage } from '../../../core/match/match-image';
import { type DebianFiles, debianFilesystem, putPackages } from '../../support/debian-image';
import { MemoryImage } from '../../support/memory-image';
import { captureUpdate } from '../../support/pipeline';

const offers = { openssl: '3.0.2', nginx: '1.22.2', curl: '7.9' };

/** The update takes openssl from 3.0.1 to 3.0.2 on a machine that has no nginx, and an old curl that it keeps. */
async function manifest(select: 'security' | string[] = 'security', memberPackages?: ReadonlySet<string>) {
  const before = await debianFilesystem({ packages: { openssl: '3.0.1', curl: '7.8', base: '1' }, offers });
  const after = before.clone();
  await putPackages(after, { openssl: '3.0.2', curl: '7.8', base: '1' });
  const captured = await captureUpdate(new MemoryImage(before), new MemoryImage(after), {
    update: { name: 'security', kind: 'packages', select },
    codecFor,
    memberPackages,
  });
  return captured.manifest;
}

async function differences(files: DebianFiles, given = manifest()): Promise<string[]> {
  const match = await matchImage(await given, new MemoryImage(await debianFilesystem(files)));
  return match.differences.map(({ record, expected, found }) => `${record} ${found} -> ${expected}`);
}

describe('packages that are due on a member but were not touched on the representative', () => {
  const same = { openssl: '3.0.1', curl: '7.8', base: '1' };

  it('none: an extra package that nothing newer is offered for is no difference', async () => {
    expect(await differences({ packages: { ...same, nginx: '1.22.2' } })).toEqual([]);
    expect(await differences({ packages: { ...same, own: '1' } })).toEqual([]);
  });

  it('an extra package with a newer version offered', async () => {
    expect(await differences({ packages: { ...same, nginx: '1.22.1' } })).toEqual([
      'nginx:amd64 1.22.1 -> 1.22.2',
    ]);
  });

  it('not when an administrator holds it', async () => {
    expect(await differences({ packages: { ...same, nginx: '1.22.1' }, held: ['nginx'] })).toEqual([]);
  });

  it('one that the representative keeps back is a difference only in another version', async () => {
    expect(await differences({ packages: { ...same, curl: '7.7' } })).toEqual(['curl:amd64 7.7 -> 7.9']);
  });

  it('only packages that the update selects count', async () => {
    expect(await differences({ packages: { ...same, nginx: '1.22.1' } }, manifest(['openssl']))).toEqual([]);
  });

  it('the manifest lists no packages that no member has', async () => {
    const { due } = await manifest('security', new Set(['nginx:amd64', 'base:amd64']));
    expect(due).toEqual({
      candidates: { 'nginx:amd64': '1.22.2' },
      keptBack: {},
      notOffered: ['base:amd64'],
    });
  });

  it('a package that no member had when the list was made may be due', async () => {
    const captured = manifest('security', new Set(['openssl:amd64', 'base:amd64']));
    expect(await differences({ packages: { openssl: '3.0.1', base: '1' } }, captured)).toEqual([]);
    expect(await differences({ packages: { openssl: '3.0.1', base: '1', own: '2' } }, captured)).toEqual([
      'own:amd64 2 -> a package of which it is known whether the update is due for it',
    ]);
  });

  it('of packages that the update names, what is offered is known to all', async () => {
    const captured = manifest(['nginx'], new Set(['openssl:amd64']));
    expect(await differences({ packages: { ...same, nginx: '1.22.1' } }, captured)).toEqual([
      'nginx:amd64 1.22.1 -> 1.22.2',
    ]);
  });
});
