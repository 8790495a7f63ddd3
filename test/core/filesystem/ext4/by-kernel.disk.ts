import { execFile } from 'node:child_process';
import { copyFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import type { ResolvedOperation } from '../../../../core/apply/apply-engine';
import { OverlayBlockDevice } from '../../../../core/block-device/overlay-block-device';
import { openExt4 } from '../../../../core/filesystem/ext4/open-ext4';
import { openExt4Writable } from '../../../../core/filesystem/ext4/write/open-ext4-writable';
import { FileBlockDevice } from '../../../support/file-block-device';
import { flushOverlay } from '../../../support/flush-overlay';
import { kernelForTests } from '../../../support/kernel-engine';
import { e2fsck, ImageFolder, LIST_TREE, makeImage, onMountedImage } from '../../../support/mounted-image';
import { listingDifferences, parseKernelListing, readerListing } from '../../../support/tree-listing';
import { changeImage, metadata } from '../../../support/writable-image';

jest.setTimeout(240_000);
const run = promisify(execFile);

let folder: ImageFolder;
beforeAll(async () => {
  folder = await ImageFolder.make();
});
afterAll(async () => folder[Symbol.asyncDispose]());

async function* sequence(operations: readonly ResolvedOperation[]): AsyncGenerator<ResolvedOperation> {
  yield* operations;
}

describe('what only the kernel does with ext4', () => {
  it('writes the features that the direct writer leaves to it, all in one machine', async () => {
    const kinds = [
      ['quota', ['-O', 'quota,project']],
      ['casefold', ['-O', 'casefold', '-E', 'encoding=utf8']],
      ['encrypt', ['-O', 'encrypt']],
      ['bigalloc', ['-O', 'bigalloc']],
    ] as const;
    const mounts = await Promise.all(
      kinds.map(async ([name, options], n) => {
        const file = folder.image(name);
        await makeImage(file, 32, ['mkfs.ext4', '-q', '-F', ...options]);
        const base = await FileBlockDevice.open(file);
        const device = new OverlayBlockDevice(base);
        await expect(openExt4Writable(new OverlayBlockDevice(base))).rejects.toMatchObject({
          name: 'UnsupportedFeatureError',
          purpose: 'write',
        });
        return { mountPoint: n === 0 ? '/' : `/${name}`, kind: 'ext4', device, base, file };
      }),
    );
    const content = Buffer.alloc(300_000, 'kernel');
    const operations = mounts.flatMap(({ mountPoint }): ResolvedOperation[] => {
      const prefix = mountPoint === '/' ? '' : mountPoint;
      return [
        { kind: 'make-directory', path: `${prefix}/made`, metadata: metadata({ mode: 0o755, uid: 1000 }) },
        {
          kind: 'put-file',
          path: `${prefix}/made/file`,
          content,
          metadata: metadata({ uid: 1000, gid: 33 }),
        },
        {
          kind: 'make-symlink',
          path: `${prefix}/made/link`,
          target: 'file',
          metadata: metadata({ mode: 0o777 }),
        },
      ];
    });
    const kernel = await kernelForTests();
    await kernel.perform(mounts, sequence(operations));
    for (const { device, base, file } of mounts) {
      const reader = await openExt4(device);
      expect(Buffer.compare(await reader.readFile('/made/file'), content)).toBe(0);
      expect(await reader.readlink('/made/link')).toBe('file');
      expect(await reader.lstat('/made/file')).toMatchObject({ uid: 1000, gid: 33 });
      await flushOverlay(device, file);
      await base[Symbol.asyncDispose]();
      expect(await e2fsck(file)).toBe('');
    }
  });

  it('shows projects that the direct writer has handed on', async () => {
    // A kernel without quotas, such as that of some test machines, mounts no volume with the feature.
    const file = folder.image('project');
    await makeImage(file, 32, ['mkfs.ext4', '-q', '-F', '-O', 'project']);
    await changeImage(file, async (writer) => {
      await writer.mkdir('/p', metadata({ mode: 0o755 }));
    });
    for (const request of ['sif /p flags 0x20080000', 'sif /p projid 42']) {
      await run('debugfs', ['-w', '-R', request, file]);
    }
    await changeImage(file, async (writer) => {
      await writer.writeFile('/p/file', Buffer.alloc(100_000, 'p'), metadata({ mode: 0o600, uid: 5 }));
      await writer.mkdir('/p/sub', metadata({ mode: 0o700 }));
      await writer.link('/p/file', '/p/sub/again');
    });
    await using base = await FileBlockDevice.open(file);
    const device = new OverlayBlockDevice(base);
    const reading = await (await kernelForTests()).read([{ kind: 'ext4', device }]);
    try {
      const shown = await readerListing(reading.filesystems[0]!);
      expect(listingDifferences(shown, await readerListing(await openExt4(device)))).toEqual([]);
      expect(shown.size).toBeGreaterThan(5);
    } finally {
      await reading.close();
    }
  });

  it('replays fast commits, which then are read and written as any other volume', async () => {
    const [live, dirty, judged] = [folder.image('live'), folder.image('dirty'), folder.image('judged')];
    await makeImage(live, 64, ['mkfs.ext4', '-q', '-F', '-O', 'fast_commit']);
    const work = 'echo a > $MNT/a; sync -f $MNT; for n in 1 2 3; do echo $n >> $MNT/a; sync $MNT/a; done';
    await onMountedImage(live, `${work}; cp "$IMAGE" "$DIRTY"`, { environment: { DIRTY: dirty } });
    await copyFile(dirty, judged);
    const expected = parseKernelListing(await onMountedImage(judged, LIST_TREE));

    await using base = await FileBlockDevice.open(dirty);
    const device = new OverlayBlockDevice(base);
    await expect(openExt4(device)).rejects.toMatchObject({ name: 'RecoveryNeededError', kind: 'ext4' });
    await (await kernelForTests()).recover([{ kind: 'ext4', device }]);
    expect(listingDifferences(expected, await readerListing(await openExt4(device)))).toEqual([]);
    const writer = await openExt4Writable(device);
    await writer.writeFile('/after', Buffer.from('written'), metadata());
    expect(await writer.check()).toEqual([]);
    await flushOverlay(device, dirty);
    expect(await e2fsck(dirty)).toBe('');
  });
});
