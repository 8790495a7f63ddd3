import { gzipSync } from 'node:zlib';
import { aptCandidates, dueCandidate } from '../../../core/records/apt-candidates';
import { debianPackages, isHeld, isInstalled } from '../../../core/records/debian-packages';
import { MemoryFilesystem } from '../../support/memory-filesystem';

const LISTS = '/var/lib/apt/lists';
const DEBIAN = `${LISTS}/deb.debian.org_debian_dists_bookworm`;
const SECURITY = `${LISTS}/deb.debian.org_debian-security_dists_bookworm-security`;
const BACKPORTS = `${LISTS}/deb.debian.org_debian_dists_bookworm-backports`;

function packages(...versions: [name: string, version: string, more?: string][]): string {
  return versions
    .map(
      ([name, version, more = '']) =>
        `Package: ${name}\nVersion: ${version}\nArchitecture: amd64\n${more}Size: 1\n\n`,
    )
    .join('');
}

async function image(): Promise<MemoryFilesystem> {
  const files = new MemoryFilesystem();
  await files.put(
    '/var/lib/dpkg/status',
    'Package: openssl\nStatus: install ok installed\nArchitecture: amd64\nVersion: 3.0.15-1\n\n' +
      'Package: curl\nStatus: hold ok installed\nArchitecture: amd64\nVersion: 7.88\n\n' +
      'Package: old\nStatus: deinstall ok config-files\nArchitecture: all\nVersion: 1\n\n',
  );
  await files.put(
    `${SECURITY}_InRelease`,
    '-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\nOrigin: Debian\nLabel: Debian-Security\nSuite: oldstable-security\nCodename: bookworm-security\nSHA256:\n 00 1 Label: fake\n',
  );
  await files.put(
    `${SECURITY}_main_binary-amd64_Packages`,
    packages(['openssl', '3.0.17-1'], ['bash', '5.2']),
  );
  await files.put(
    `${DEBIAN}_Release`,
    'Origin: Debian\nLabel: Debian\nSuite: oldstable\nCodename: bookworm\n',
  );
  await files.put(
    `${DEBIAN}_main_binary-amd64_Packages.gz`,
    gzipSync(packages(['openssl', '3.0.16-1'], ['curl', '7.89'])),
  );
  await files.put(
    `${BACKPORTS}_InRelease`,
    'Origin: Debian\nLabel: Debian Backports\nSuite: stable-backports\nNotAutomatic: yes\nButAutomaticUpgrades: yes\n',
  );
  await files.put(`${BACKPORTS}_main_binary-amd64_Packages`, packages(['openssl', '3.5.0-1']));
  await files.put(`${DEBIAN}_contrib_binary-amd64_Packages.xz`, 'anything');
  return files;
}

describe('debianPackages', () => {
  it('tells versions and states', async () => {
    const found = await debianPackages(await image());
    expect([...found.keys()]).toEqual(['openssl:amd64', 'curl:amd64', 'old:all']);
    expect(found.get('openssl:amd64')).toEqual({ version: '3.0.15-1', status: 'install ok installed' });
    expect([...found.values()].map(isInstalled)).toEqual([true, true, false]);
    expect([...found.values()].map(isHeld)).toEqual([false, true, false]);
  });

  it('finds none where there is no dpkg', async () => {
    expect(await debianPackages(new MemoryFilesystem())).toEqual(new Map());
  });
});

describe('aptCandidates', () => {
  it('tells which archive offers which version, and which of them are security archives', async () => {
    const { byPackage } = await aptCandidates(await image());
    const openssl = byPackage.get('openssl:amd64') ?? [];
    expect(openssl.map(({ version, archive }) => [version, archive.label, archive.security])).toEqual([
      ['3.5.0-1', 'Debian Backports', false],
      ['3.0.17-1', 'Debian-Security', true],
      ['3.0.16-1', 'Debian', false],
    ]);
  });

  it('says which lists it could not read', async () => {
    const { unread } = await aptCandidates(await image());
    expect(unread).toEqual([
      { path: `${DEBIAN}_contrib_binary-amd64_Packages.xz`, reason: 'lists packed as .xz are not read' },
    ]);
  });

  it('says so of a list that is damaged', async () => {
    const files = await image();
    await files.put(`${DEBIAN}_main_binary-amd64_Packages.gz`, 'no gzip');
    const { unread } = await aptCandidates(files);
    expect(unread.map(({ reason }) => reason)).toContainEqual(expect.stringContaining('cannot be unpacked'));
  });

  it('keeps only the packages asked for', async () => {
    const { byPackage } = await aptCandidates(await image(), new Set(['curl:amd64']));
    expect([...byPackage.keys()]).toEqual(['curl:amd64']);
  });

  it('knows Ubuntu by its suites, and a list without a Release file by its name', async () => {
    const files = new MemoryFilesystem();
    const ubuntu = `${LISTS}/eu.archive.ubuntu.com_ubuntu_dists_jammy`;
    await files.put(`${ubuntu}-security_InRelease`, 'Origin: Ubuntu\nLabel: Ubuntu\nSuite: jammy-security\n');
    await files.put(`${ubuntu}-security_main_binary-amd64_Packages`, packages(['curl', '2']));
    const list = packages(['curl', '3', 'Phased-Update-Percentage: 40\n']);
    await files.put(`${ubuntu}-updates_main_binary-amd64_Packages`, list);
    const { byPackage } = await aptCandidates(files);
    const curl = byPackage.get('curl:amd64') ?? [];
    expect(
      curl.map(({ version, archive, phasedPercentage }) => [version, archive.suite, phasedPercentage]),
    ).toEqual([
      ['3', 'jammy-updates', 40],
      ['2', 'jammy-security', undefined],
    ]);
    expect(dueCandidate('1', curl, { security: true })?.version).toBe('2');
  });
});

describe('dueCandidate', () => {
  it('prefers what apt takes of itself, and looks at security archives alone when asked', async () => {
    const { byPackage } = await aptCandidates(await image());
    const openssl = byPackage.get('openssl:amd64');
    expect(dueCandidate('3.0.15-1', openssl, { security: false })?.version).toBe('3.0.17-1');
    expect(dueCandidate('3.0.15-1', openssl, { security: true })?.version).toBe('3.0.17-1');
    expect(dueCandidate('3.0.17-1', openssl, { security: true })).toBeUndefined();
    expect(dueCandidate('3.4.0-1', openssl, { security: false })?.version).toBe('3.5.0-1');
    expect(dueCandidate('3.0.15-1', byPackage.get('absent:amd64'), { security: false })).toBeUndefined();
  });
});
