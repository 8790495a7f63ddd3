import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { ResolvedOperation } from '../../core/apply/apply-engine';
import type { Metadata } from '../../core/filesystem/filesystem';
import { FileBlockDevice } from '../support/file-block-device';
import { kernelForTests } from '../support/kernel-engine';
import { ImageFolder, makeImage, onMountedImage } from '../support/mounted-image';

const run = promisify(execFile);

jest.setTimeout(120_000);

/** As installers lay out btrfs: the root in one subvolume, /home in another, snapshots of them inside. */
const FILL = `
btrfs -q subvolume create "$MNT/@"; btrfs -q subvolume create "$MNT/@home"
mkdir "$MNT/@/etc" "$MNT/@/home"; echo root >"$MNT/@/etc/name"; echo home >"$MNT/@home/file"
ln "$MNT/@/etc/name" "$MNT/@/etc/other"
btrfs -q subvolume snapshot -r "$MNT/@" "$MNT/@/before"`;

const metadata: Metadata = {
  mode: 0o640,
  uid: 1,
  gid: 2,
  mtimeNs: 1_700_000_000_000_000_001n,
  xattrs: new Map(),
};

async function* operations(): AsyncIterable<ResolvedOperation> {
  yield { kind: 'put-file', path: '/etc/name', content: Buffer.from('changed'), metadata };
  yield { kind: 'put-file', path: '/home/new', content: Buffer.from('new'), metadata };
}

describe('the subvolumes of one btrfs', () => {
  let folder: ImageFolder;
  let file: string;
  let device: FileBlockDevice;

  beforeAll(async () => {
    folder = await ImageFolder.make();
    file = folder.image('btrfs');
    await makeImage(file, 200, ['mkfs.btrfs', '-q', '-f']);
    await onMountedImage(file, FILL);
    device = await FileBlockDevice.open(file, 'r+');
  });
  afterAll(async () => {
    await device[Symbol.asyncDispose]();
    await folder[Symbol.asyncDispose]();
  });

  it('are read as folders of the top level, and each by itself', async () => {
    const kernel = await kernelForTests();
    const { filesystems, close } = await kernel
      .read([
        { kind: 'btrfs', device },
        { kind: 'btrfs', device, subvolume: '@home' },
      ])
      .then((reading) => ({ filesystems: reading.filesystems, close: () => reading.close() }));
    try {
      const [top, home] = filesystems;
      const inodes = new Map<string, number>();
      for await (const { path, stat } of top!.scan()) inodes.set(path, stat.inode);
      expect([...inodes.keys()].sort()).toEqual(
        ['/', '/@', '/@/before', '/@/before/etc', '/@/before/etc/name', '/@/before/etc/other']
          .concat([
            '/@/before/home',
            '/@/etc',
            '/@/etc/name',
            '/@/etc/other',
            '/@/home',
            '/@home',
            '/@home/file',
          ])
          .sort(),
      );
      // Each subvolume numbers its inodes from the same number on.
      const named = new Map([...inodes].map(([path, inode]) => [inode, path]));
      expect(named.size).toBe(inodes.size - 2);
      expect(inodes.get('/@/etc/name')).toBe(inodes.get('/@/etc/other'));
      expect(inodes.get('/@/before/etc/name')).not.toBe(inodes.get('/@/etc/name'));
      for (const { name, inode } of await top!.readdir('/')) expect(inode).toBe(inodes.get(`/${name}`));
      expect(await home!.readFile('/file')).toEqual(new Uint8Array(Buffer.from('home\n')));
      expect((await home!.lstat('/file'))?.inode).toBe(inodes.get('/@home/file'));
    } finally {
      await close();
    }
  });

  it('are written where they are mounted, on the one disk that they share', async () => {
    const kernel = await kernelForTests();
    await kernel.perform(
      [
        { mountPoint: '/', kind: 'btrfs', device, subvolume: '@' },
        { mountPoint: '/home', kind: 'btrfs', device, subvolume: '@home' },
      ],
      operations(),
    );
    const shown = await onMountedImage(
      file,
      'cd "$MNT"; cat @/etc/name @/before/etc/name @home/new; stat -c "%n %a %u %g %.Y" @/etc/name; ls -A @/home',
    );
    expect(shown).toBe('changedroot\nnew@/etc/name 640 1 2 1700000000.000000001\n');
    await run('btrfs', ['check', '--readonly', file]);
    expect(await kernel.verify([{ kind: 'btrfs', device }])).toEqual([]);
  });
});
