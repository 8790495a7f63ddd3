import { gzipSync, zstdCompressSync } from 'node:zlib';
import { rpmOffers } from '../../../../core/records/rpm/rpm-repositories';
import { MemoryFilesystem } from '../../../support/memory-filesystem';

const offered = (name: string, version: string, more = ''): string =>
  `<package type="rpm"><name>${name}</name><arch>noarch</arch><version epoch="0" ver="${version}" rel="1"/>` +
  `<format><rpm:provides><rpm:entry name="${name}" flags="EQ" epoch="0" ver="${version}" rel="1"/></rpm:provides>${more}</format></package>`;
const obsoletes = (entry: string): string => `<rpm:obsoletes><rpm:entry ${entry}/></rpm:obsoletes>`;
const list = (...packages: string[]): string => `<metadata packages="1">${packages.join('')}</metadata>`;
const advisory = (type: string, name: string, version: string): string =>
  `<update type="${type}"><pkglist><collection><package name="${name}" version="${version}" release="1" epoch="0" arch="noarch"><filename>x</filename></package></collection></pkglist></update>`;

const repository = (id: string): string => `/var/cache/dnf/${id}-0123456789abcdef/repodata`;

async function machine(files: Readonly<Record<string, string | Uint8Array>>): Promise<MemoryFilesystem> {
  const filesystem = new MemoryFilesystem();
  await filesystem.put(
    '/etc/yum.repos.d/all.repo',
    '[one]\nname=one\n[two]\nenabled=1\n[off]\nenabled = 0\n',
  );
  for (const [path, content] of Object.entries(files)) await filesystem.put(path, content);
  return filesystem;
}

it('knows the newest version of all enabled repositories', async () => {
  const found = await rpmOffers(
    await machine({
      [`${repository('one')}/aa-primary.xml.gz`]: gzipSync(list(offered('a', '1.9'), offered('b', '2'))),
      [`${repository('two')}/bb-primary.xml.zst`]: zstdCompressSync(list(offered('a', '1.10'))),
      [`${repository('off')}/cc-primary.xml`]: list(offered('a', '3')),
      [`${repository('gone')}/dd-primary.xml`]: list(offered('a', '4')),
    }),
  );
  expect([...found.newest]).toEqual([
    ['a.noarch', '1.10-1'],
    ['b.noarch', '2-1'],
  ]);
  expect(found.unread).toEqual([]);
});

it('knows which versions mend security holes, and keeps only what is asked for', async () => {
  const updateinfo =
    advisory('security', 'a', '1.5') + advisory('bugfix', 'a', '1.6') + advisory('security', 'c', '1');
  const filesystem = await machine({
    [`${repository('one')}/aa-primary.xml.gz`]: gzipSync(list(offered('a', '1.9'), offered('c', '2'))),
    [`${repository('one')}/bb-updateinfo.xml.gz`]: gzipSync(`<updates>${updateinfo}</updates>`),
  });
  expect([...(await rpmOffers(filesystem, new Set(['a.noarch']))).security]).toEqual([['a.noarch', '1.5-1']]);
  expect([...(await rpmOffers(filesystem)).security.keys()]).toEqual(['a.noarch', 'c.noarch']);
});

it('knows what is obsoleted, and up to which version', async () => {
  const found = await rpmOffers(
    await machine({
      [`${repository('one')}/aa-primary.xml`]: list(
        offered('a', '1', obsoletes('name="old" flags="LT" epoch="0" ver="2" rel="1"')),
        offered('b', '1', obsoletes('name="older"')),
      ),
    }),
  );
  expect([...found.obsoleted]).toEqual([
    ['old', '2-1'],
    ['older', undefined],
  ]);
});

it('says which lists it could not read', async () => {
  const { unread } = await rpmOffers(
    await machine({
      [`${repository('one')}/aa-primary.xml.zck`]: 'zchunk',
      [`${repository('one')}/bb-updateinfo.xml.gz`]: 'no gzip',
    }),
  );
  expect(unread).toEqual([
    { path: expect.stringContaining('.zck'), reason: 'lists packed as .zck are not read' },
    { path: expect.stringContaining('updateinfo'), reason: expect.stringContaining('cannot be unpacked') },
  ]);
});
