import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { SNAPSHOT_BLOCK_BYTES } from '../../../../../core/block-device/block-device';
import { BlockWindow } from '../../../../../core/block-device/block-window';
import { CountingBlockReader } from '../../../../../core/block-device/counting-block-reader';
import { OverlayBlockDevice } from '../../../../../core/block-device/overlay-block-device';
import { openExt4Writable } from '../../../../../core/filesystem/ext4/write/open-ext4-writable';
import { FileBlockDevice } from '../../../../support/file-block-device';
import { flushOverlay } from '../../../../support/flush-overlay';
import { e2fsck, ImageFolder, makeImage, onMountedImage } from '../../../../support/mounted-image';
import { metadata } from '../../../../support/writable-image';

jest.setTimeout(120_000);
const run = promisify(execFile);
/** Most snapshot blocks that the writer may put for each that the kernel's writing of the same files changes. */
const MOST_OF_KERNEL = 1.25;

let folder: ImageFolder;
let before: string;
let replaced: string[];
beforeAll(async () => {
  folder = await ImageFolder.make();
  await run('/usr/bin/python3', [join(__dirname, '../../../../support/machine-tree.py'), folder.path]);
  replaced = (await readFile(join(folder.path, 'replaced.txt'), 'utf8')).trim().split('\n');
  before = folder.image('before');
  await makeImage(before, 8192, ['mkfs.ext4', '-q', '-F']);
  await onMountedImage(before, 'tar -C / -cf - -T "$FOLDER/tree.txt" 2>/dev/null | tar -C "$MNT" -xf -', {
    environment: { FOLDER: folder.path },
  });
});
afterAll(async () => folder[Symbol.asyncDispose]());

/** How many snapshot blocks differ between two sparse images. */
async function differingBlocks(one: string, other: string): Promise<number> {
  const script = join(__dirname, '../../../../support/differing-blocks.py');
  return Number((await run('/usr/bin/python3', [script, String(SNAPSHOT_BLOCK_BYTES), one, other])).stdout);
}

async function changedByKernel(): Promise<number> {
  const file = folder.image('kernel');
  await run('cp', ['--sparse=always', before, file]);
  await onMountedImage(file, 'cd "$FOLDER/new"; tar -cf - * | tar -C "$MNT" --no-overwrite-dir -xf -', {
    environment: { FOLDER: folder.path },
  });
  return differingBlocks(before, file);
}

it('replaces 900 files with few puts, few gets, none of them twice, and the kernel reads them back', async () => {
  const contents = await Promise.all(replaced.map((path) => readFile(join(folder.path, 'new', path))));
  await using base = await FileBlockDevice.open(before);
  const counted = new CountingBlockReader(base);
  const overlay = new OverlayBlockDevice(counted);
  const filesystem = await openExt4Writable(overlay);
  for (const [n, path] of replaced.entries()) {
    await filesystem.writeFile(path, contents[n]!, metadata());
  }
  expect(await filesystem.check()).toEqual([]);
  const ours = folder.image('ours');
  await run('cp', ['--sparse=always', before, ours]);
  const put = await flushOverlay(overlay, ours);
  const kernel = await changedByKernel();

  expect(put).toBeLessThanOrEqual(kernel * MOST_OF_KERNEL);
  // None is put that did not change, none that changed is left out.
  expect(put).toBe(await differingBlocks(before, ours));
  expect(counted.blocksReadMoreThanOnce()).toEqual([]);
  // What is read: the inode tables, bitmaps and directories on the way, and every block that is put.
  expect(counted.blocksRead).toBeLessThanOrEqual(2 * put);

  expect(await e2fsck(ours)).toBe('');
  const compared = await onMountedImage(
    ours,
    'cd "$FOLDER/new"; find . -type f -exec cmp {} "$MNT/{}" \\;; echo done',
    {
      environment: { FOLDER: folder.path },
    },
  );
  expect(compared.trim()).toBe('done');
  process.stdout.write(
    `    ${replaced.length} files, ${contents.reduce((sum, { length }) => sum + length, 0)} bytes: ` +
      `${put} blocks put (kernel: ${kernel}), ${counted.blocksRead} read\n`,
  );
});

it('places new data by the borders of the disk, not of the partition', async () => {
  const disk = folder.image('shifted');
  const shift = 63 * 512;
  await run('truncate', ['-s', String(256 * 1024 * 1024 + shift), disk]);
  const volume = folder.image('shifted-volume');
  await makeImage(volume, 256, ['mkfs.ext4', '-q', '-F', '-b', '4096']);
  await run('dd', [`if=${volume}`, `of=${disk}`, 'bs=512', 'seek=63', 'conv=notrunc,sparse']);
  await using base = await FileBlockDevice.open(disk);
  const overlay = new OverlayBlockDevice(base);
  const filesystem = await openExt4Writable(new BlockWindow(overlay, shift, 256 * 1024 * 1024));
  await filesystem.writeFile('/first', Buffer.alloc(10 * SNAPSHOT_BLOCK_BYTES - 8192, 1), metadata());
  const metadataBlocks = 3;
  expect(overlay.dirtyBlocks().length).toBeLessThanOrEqual(10 + metadataBlocks);
});
