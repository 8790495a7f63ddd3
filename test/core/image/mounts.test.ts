import { filesystemWith, imageOf, memoryOpener, onPartition } from '../../support/memory-volumes';
import { assembleImage } from '../../../core/image/assemble-image';
import { CorruptFilesystemError } from '../../../core/filesystem/errors';

const data = { volumeId: 'vol-data', deviceName: '/dev/sdf', onRootVolume: false };

/** The image of a machine whose fstab has this line, with a home on partition 2 and a data volume of its own. */
async function mounted(line: string, sources: { home?: object; data?: object } = {}) {
  const root = await filesystemWith({
    '/etc/fstab': `LABEL=root / ext4 defaults 0 1\n${line}\n`,
    '/there/below': 'x',
  });
  const home = await filesystemWith({ '/file': 'home' });
  const volume = await filesystemWith({ '/file': 'data' });
  return imageOf(
    onPartition(1, root, { label: 'root' }),
    onPartition(2, home, sources.home),
    onPartition(undefined, volume, { ...data, ...sources.data }),
  );
}

const textAt = async (image: Awaited<ReturnType<typeof mounted>>, path: string): Promise<string> =>
  Buffer.from(await image.readFile(path)).toString();

describe('a line of fstab', () => {
  it.each([
    ['UUID=0F0E-AB', { uuid: '0f0e-ab' }],
    ['UUID="0f0e-ab"', { uuid: '0f0e-ab' }],
    ['LABEL=home', { label: 'home' }],
    ['LABEL=my\\040home', { label: 'my home' }],
    ['PARTUUID=0F0E', { partUuid: '0f0e' }],
    ['PARTLABEL=home', { partLabel: 'home' }],
    ['/dev/disk/by-uuid/0f0e-ab', { uuid: '0f0e-ab' }],
    ['/dev/disk/by-label/my\\134x20home', { label: 'my home' }],
    ['/dev/xvda2', {}],
    ['/dev/sda2', {}],
    ['/dev/vda2', {}],
    ['/dev/nvme0n1p2', {}],
  ])('names the partition by %s', async (source, names) => {
    const image = await mounted(`${source} /there ext4 defaults 0 2`, { home: names });
    expect(await textAt(image, '/there/file')).toBe('home');
    expect(
      image.mounts.map(({ mountPoint, volumeIds, partition }) => [mountPoint, volumeIds.join(), partition]),
    ).toEqual([
      ['/', 'vol-root', 1],
      ['/there', 'vol-root', 2],
    ]);
  });

  it.each([['/dev/sdf'], ['/dev/xvdf'], ['/dev/nvme1n1'], ['/dev/sdf1']])(
    'names the volume without partitions by %s',
    async (source) => {
      expect(await textAt(await mounted(`${source} /there auto`), '/there/file')).toBe('data');
    },
  );

  it.each([
    ['UUID=cafe /there ext4 defaults', 'MissingVolumeError', { mountPoint: '/there', source: 'UUID=cafe' }],
    ['/dev/sdg /there ext4 defaults', 'MissingVolumeError', { source: '/dev/sdg' }],
    ['/dev/mapper/data /there ext4 defaults', 'MissingVolumeError', {}],
  ])('that is %s and cannot be met is an error', async (line, name, facts) => {
    await expect(mounted(line)).rejects.toMatchObject({ name, facts });
  });

  it.each([
    ['UUID=cafe /there ext4 nofail', /^nofail: .*no volume/],
    ['UUID=cafe /there vfat umask=0077', /FAT/],
    ['UUID=cafe none swap sw', /swap/],
    ['/swapfile swap swap sw', /swap/],
    ['tmpfs /there tmpfs defaults', /tmpfs/],
    ['proc /there proc defaults', /proc/],
    ['/srv /there none bind', /bind/],
    ['/srv/disk.img /there ext4 loop', /file/],
    ['fs-1.efs:/ /there nfs4 _netdev', /network/],
    ['LABEL=home /there ext4 noauto', /noauto/],
  ])('that is %s is left out with a reason', async (line, reason) => {
    const image = await mounted(line, { home: { label: 'home' } });
    expect(image.ignoredMounts).toEqual([expect.objectContaining({ reason: expect.stringMatching(reason) })]);
    expect(image.mounts).toHaveLength(1);
    expect(await textAt(image, '/there/below')).toBe('x');
  });

  it('that systemd mounts on first use is mounted', async () => {
    const image = await mounted('LABEL=home /there ext4 noauto,x-systemd.automount', {
      home: { label: 'home' },
    });
    expect(await textAt(image, '/there/file')).toBe('home');
  });

  it('that mounts the same filesystem again is left out', async () => {
    const image = await mounted('LABEL=root /there ext4 defaults');
    expect(image.ignoredMounts[0]?.reason).toBe('the filesystem that is mounted at /');
  });

  it('names an unsupported filesystem where it needs one', async () => {
    await expect(mounted('/dev/xvda2 /there xfs defaults', { home: { kind: 'xfs' } })).rejects.toMatchObject({
      name: 'UnsupportedFilesystemError',
      kind: 'xfs',
    });
    await expect(
      mounted('/dev/vg/home /there ext4 defaults', { home: { kind: 'lvm2' } }),
    ).rejects.toMatchObject({
      name: 'UnsupportedFilesystemError',
      kind: 'lvm2',
    });
  });

  it('with an NVMe name that may be one of two volumes is an error', async () => {
    const root = await filesystemWith({ '/etc/fstab': '/dev/nvme1n1 /data ext4 defaults\n' });
    const volumes = ['vol-b', 'vol-c'].map((volumeId) =>
      onPartition(undefined, 'unknown', {
        volumeId,
        deviceName: `/dev/sd${volumeId.at(-1)}`,
        onRootVolume: false,
      }),
    );
    await expect(imageOf(onPartition(1, root), ...volumes)).rejects.toMatchObject({
      name: 'AmbiguousDeviceError',
      facts: { volumeIds: ['vol-b', 'vol-c'] },
    });
  });
});

describe('one namespace', () => {
  it('shows of each path the longest mount point that holds it, and hides what is under it', async () => {
    const root = await filesystemWith({
      '/etc/fstab': 'LABEL=log /var/log ext4 defaults\nLABEL=var /var ext4 defaults\n',
      '/var/hidden': 'x',
      '/varnish/file': 'root',
    });
    const variable = await filesystemWith({ '/log/hidden': 'x', '/lib/file': 'var' });
    const log = await filesystemWith({ '/file': 'log' });
    const image = await imageOf(
      onPartition(1, root),
      onPartition(2, variable, { label: 'var' }),
      onPartition(3, log, { label: 'log' }),
    );
    expect(image.mounts.map(({ mountPoint }) => mountPoint)).toEqual(['/', '/var', '/var/log']);
    expect(await textAt(image, '/var/lib/file')).toBe('var');
    expect(await textAt(image, '/var/log/file')).toBe('log');
    expect(await textAt(image, '/varnish/file')).toBe('root');
    expect(await image.lstat('/var/hidden')).toBeUndefined();
    expect(await image.lstat('/var/log/hidden')).toBeUndefined();
    expect(image.mountOf('/var/log/a/b').mountPoint).toBe('/var/log');
    expect(image.mountOf('/var/logs').mountPoint).toBe('/var');

    const paths: string[] = [];
    for await (const { path } of image.scan()) paths.push(path);
    expect(new Set(paths).size).toBe(paths.length);
    expect(paths.toSorted()).toEqual(
      [
        '/',
        '/etc',
        '/etc/fstab',
        '/var',
        '/var/lib',
        '/var/lib/file',
        '/var/log',
        '/var/log/file',
        '/varnish',
        '/varnish/file',
      ].toSorted(),
    );
    for (const [index, path] of paths.entries()) {
      const parent = path.slice(0, path.lastIndexOf('/')) || '/';
      if (path !== '/') expect(paths.slice(0, index)).toContain(parent);
    }
    const names = (await image.readdir('/var')).map(({ name }) => name).toSorted();
    expect(names).toEqual(['lib', 'log']);
    expect((await image.readdir('/')).map(({ name }) => name).toSorted()).toEqual(['etc', 'var', 'varnish']);
    expect((await image.readdir('/')).find(({ name }) => name === 'var')?.inode).toBe(
      (await image.lstat('/var'))?.inode,
    );
  });
});

describe('the root', () => {
  it('is the filesystem with an fstab or an os-release', async () => {
    const boot = await filesystemWith({ '/grub/grub.cfg': '' });
    const root = await filesystemWith({ '/usr/lib/os-release': 'ID=debian\n' });
    expect((await imageOf(onPartition(1, boot), onPartition(2, root))).mounts[0]?.partition).toBe(2);
  });

  it('is, of two, the one that its own fstab names', async () => {
    const rescue = await filesystemWith({ '/etc/fstab': 'LABEL=root / ext4 defaults\n' });
    const root = await filesystemWith({ '/etc/fstab': 'LABEL=root / ext4 defaults\n' });
    const image = await imageOf(
      onPartition(1, rescue, { label: 'rescue' }),
      onPartition(2, root, { label: 'root' }),
    );
    expect(image.mounts.map(({ partition }) => partition)).toEqual([2]);
  });

  it('is looked for on the root volume', async () => {
    const other = await filesystemWith({ '/etc/fstab': '' });
    const root = await filesystemWith({ '/etc/fstab': '' });
    const image = await imageOf(onPartition(1, other, data), onPartition(1, root));
    expect(image.mounts[0]?.volumeIds).toEqual(['vol-root']);
  });

  it('alone is opened for good, each filesystem once', async () => {
    const boot = onPartition(1, await filesystemWith({ '/grub.cfg': '' }));
    const root = onPartition(2, await filesystemWith({ '/etc/fstab': '' }));
    const opener = memoryOpener();
    await assembleImage([boot, root], [], opener);
    expect(opener.opened).toEqual([root]);
  });

  it.each([['lvm2'], ['luks'], ['btrfs'], ['xfs']])('on %s is refused by name', async (kind) => {
    await expect(imageOf(onPartition(1, 'vfat'), onPartition(2, kind))).rejects.toMatchObject({
      name: 'UnsupportedFilesystemError',
      kind,
      where: 'vol-root (/dev/xvda) partition 2',
    });
  });

  it('that is nowhere is an error that tells what there is', async () => {
    const empty = await filesystemWith({});
    await expect(imageOf(onPartition(1, 'swap'), onPartition(2, empty))).rejects.toMatchObject({
      name: 'NoRootFilesystemError',
      facts: { found: ['vol-root (/dev/xvda) partition 1: swap', 'vol-root (/dev/xvda) partition 2: ext4'] },
    });
    await expect(imageOf(onPartition(undefined, 'unknown'))).rejects.toThrow(
      'neither a partition table nor a filesystem',
    );
  });

  it('that is damaged tells so, unless another is found', async () => {
    const broken = onPartition(1, 'ext4');
    const memory = memoryOpener();
    const problem = new CorruptFilesystemError('no superblock');
    const opener: typeof memory = {
      ...memory,
      async look(sources) {
        const looks = await memory.look(sources);
        return looks.map((look, index) => (sources[index] === broken ? problem : look));
      },
      async open(source) {
        if (source === broken) throw problem;
        return memory.open(source);
      },
    };
    await expect(assembleImage([broken], [], opener)).rejects.toMatchObject({
      name: 'CorruptFilesystemError',
    });
    const root = onPartition(2, await filesystemWith({ '/etc/fstab': '' }));
    expect((await assembleImage([broken, root], [], opener)).mounts[0]?.partition).toBe(2);
  });
});
