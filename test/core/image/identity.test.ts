import { followLinks } from '../../../core/image/follow-links';
import { parseOsRelease } from '../../../core/image/read-os-identity';
import type { MemoryFilesystem } from '../../support/memory-filesystem';
import { filesystemWith, imageOf, onPartition } from '../../support/memory-volumes';

const METADATA = { mode: 0o777, uid: 0, gid: 0, mtimeNs: 0n, xattrs: new Map<string, Uint8Array>() };

async function machine(
  files: Readonly<Record<string, string>>,
  links: Readonly<Record<string, string>> = {},
) {
  const filesystem = await filesystemWith({ '/etc/fstab': '', ...files });
  for (const [path, target] of Object.entries(links)) {
    await filesystem.makeParents(path);
    await filesystem.symlink(path, target, METADATA);
  }
  return filesystem;
}

const identityOf = async (filesystem: MemoryFilesystem) => imageOf(onPartition(1, filesystem));

/** The start of an ELF file for this machine, as elf(5) has it. */
const elf = (code: number): string =>
  `\x7fELF\x02\x01\x01${'\0'.repeat(9)}\x02\0${String.fromCharCode(code)}\0`;

describe('the operating system', () => {
  it('is read through the link that os-release is', async () => {
    const { os } = await identityOf(
      await machine(
        {
          '/usr/lib/os-release': 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nVERSION_ID="12"\nID=debian\n',
          '/var/lib/dpkg/status':
            'Package: adduser\nArchitecture: all\n\nPackage: dpkg\nStatus: install ok installed\nArchitecture: arm64\n\n',
        },
        { '/etc/os-release': '../usr/lib/os-release' },
      ),
    );
    expect(os).toEqual({
      id: 'debian',
      versionId: '12',
      name: 'Debian GNU/Linux 12 (bookworm)',
      architecture: 'arm64',
      packageSystem: 'dpkg',
    });
  });

  it('has the architecture that dpkg was set up for, foreign ones or not', async () => {
    const files = { '/var/lib/dpkg/status': '', '/var/lib/dpkg/arch': 'amd64\ni386\n' };
    expect((await identityOf(await machine(files))).os.architecture).toBe('amd64');
  });

  it('has the architecture of its shell where no package system tells', async () => {
    const files = { '/usr/bin/dash': elf(62) };
    const links = { '/bin': 'usr/bin', '/usr/bin/sh': 'dash' };
    expect((await identityOf(await machine(files, links))).os).toMatchObject({
      id: 'linux',
      architecture: 'amd64',
      packageSystem: 'none',
    });
  });

  it('is read in a moment, however many blanks there are in a line', () => {
    const text = `ID=debian  \n\tVERSION_ID="12"\nNAME=${' '.repeat(200_000)}x\n`;
    expect([...parseOsRelease(text)].slice(0, 2)).toEqual([
      ['ID', 'debian'],
      ['VERSION_ID', '12'],
    ]);
  }, 3000);

  it('of the RPM kind has names of the RPM kind', async () => {
    const files = {
      '/usr/lib/sysimage/rpm/rpmdb.sqlite': '',
      '/etc/os-release': 'ID=\'amzn\'\nVERSION_ID="2023"\n',
    };
    const filesystem = await machine(files, { '/var/lib/rpm': '../../usr/lib/sysimage/rpm' });
    await filesystem.put('/usr/bin/env', Buffer.from(elf(183), 'latin1'));
    expect((await identityOf(filesystem)).os).toMatchObject({
      id: 'amzn',
      architecture: 'aarch64',
      packageSystem: 'rpm',
    });
  });

  it('is unknown rather than wrong', async () => {
    const { os } = await identityOf(await machine({ '/bin/sh': '#!/bin/busybox sh\n' }));
    expect(os).toMatchObject({ id: 'linux', versionId: '', architecture: 'unknown' });
  });

  it('reads the quotes of a shell', () => {
    const text = `A=plain\nB="a \\"b\\" \\$c \\\\"\nC='it is'\n# D=no\nE=\nF="x"  \r\n`;
    expect(Object.fromEntries(parseOsRelease(text))).toEqual({
      A: 'plain',
      B: 'a "b" $c \\',
      C: 'it is',
      E: '',
      F: 'x',
    });
  });
});

describe('what makes a machine itself', () => {
  it('is gathered from where each thing stands', async () => {
    const machineId = '0123456789abcdef0123456789abcdef';
    const filesystem = await machine({
      '/etc/hostname': '# set by hand\nweb-7\n',
      '/etc/hosts': '127.0.0.1 localhost\n127.0.1.1\tweb-7.example.org web-7 # me\n',
      '/etc/machine-id': `${machineId}\n`,
      '/etc/ssh/ssh_host_ed25519_key.pub': 'ssh-ed25519 AAAA root@web-7\n',
      '/etc/ssh/ssh_host_ed25519_key': 'never read',
      '/etc/ssh/sshd_config': '',
      '/var/lib/cloud/data/instance-id': 'i-0abc\n',
      '/etc/netplan/50.yaml':
        'ethernets:\n  eth0:\n    match: {macaddress: 0A:1B:2C:3D:4E:5F}\n    addresses: [10.0.0.7/24, "2001:db8::7/64"]\n',
      '/etc/network/interfaces':
        'iface lo inet loopback\n# address 9.9.9.9\n address 192.168.1.4\n netmask 255.255.255.0\n',
    });
    const { identity } = await imageOf(
      onPartition(1, filesystem, { uuid: 'aa-bb', label: 'root', partUuid: 'p1' }),
      onPartition(2, 'swap', { uuid: 'cc', partUuid: 'p2' }),
    );
    expect(identity).toEqual({
      hostname: 'web-7',
      fqdn: 'web-7.example.org',
      machineId,
      sshHostKeys: { '/etc/ssh/ssh_host_ed25519_key.pub': expect.stringMatching(/^[0-9a-f]{64}$/) },
      filesystemUuids: ['aa-bb', 'cc'],
      filesystemLabels: ['root'],
      diskUuids: [],
      partUuids: ['p1', 'p2'],
      macAddresses: ['0a:1b:2c:3d:4e:5f'],
      ipAddresses: ['10.0.0.7', '192.168.1.4', '2001:db8::7'],
      cloudInstanceId: 'i-0abc',
    });
    expect(filesystem.contentReads.has('/etc/ssh/ssh_host_ed25519_key')).toBe(false);
  });

  it.each([[''], ['uninitialized\n'], ['not an id\n']])('has no machine-id in %j', async (text) => {
    expect((await identityOf(await machine({ '/etc/machine-id': text }))).identity.machineId).toBeUndefined();
  });

  it('may be nothing at all', async () => {
    expect((await identityOf(await machine({}))).identity).toMatchObject({
      hostname: undefined,
      fqdn: undefined,
      sshHostKeys: {},
      ipAddresses: [],
    });
  });
});

describe('followLinks', () => {
  it('stays inside the image', async () => {
    const filesystem = await machine(
      { '/etc/passwd': '' },
      { '/a/b': '../../../etc/./passwd', '/c': '/a/../etc' },
    );
    expect(await followLinks(filesystem, '/a/b')).toBe('/etc/passwd');
    expect(await followLinks(filesystem, '/c/passwd')).toBe('/etc/passwd');
    expect(await followLinks(filesystem, '/c/absent')).toBeUndefined();
    expect(await followLinks(filesystem, '/etc/passwd/x')).toBeUndefined();
    expect(await followLinks(filesystem, '/')).toBe('/');
  });

  it('gives up on a loop', async () => {
    const filesystem = await machine({}, { '/a': 'b', '/b': 'a', '/c': 'c/c/c' });
    await expect(followLinks(filesystem, '/a')).rejects.toMatchObject({ name: 'SymlinkLoopError' });
    await expect(followLinks(filesystem, '/c')).rejects.toMatchObject({ name: 'SymlinkLoopError' });
  });
});
