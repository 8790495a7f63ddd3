import { execFile } from 'node:child_process';
import { copyFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { OverlayBlockDevice } from '../../../../../core/block-device/overlay-block-device';
import { openExt4Writable } from '../../../../../core/filesystem/ext4/write/open-ext4-writable';
import { FileBlockDevice } from '../../../../support/file-block-device';
import { e2fsck, ImageFolder, LIST_TREE, makeImage, onMountedImage } from '../../../../support/mounted-image';
import { listingDifferences, parseKernelListing, type TreeListing } from '../../../../support/tree-listing';
import { mkfsCommand } from '../../../../support/volume-matrix';
import { changeImage, metadata } from '../../../../support/writable-image';

jest.setTimeout(60_000);
const run = promisify(execFile);

let folder: ImageFolder;
beforeEach(async () => {
  folder = await ImageFolder.make();
});
afterEach(async () => folder[Symbol.asyncDispose]());

/** Work with a file that is deleted while open, and one that never had a name, held until the disk was copied. */
const WITH_ORPHANS = `
  "$PYTHON" "$SUPPORT/dirty-journal.py" "$MNT" 6
  "$PYTHON" - "$MNT" "$IMAGE" "$DIRTY" <<'END'
import os, shutil, sys
root, image, dirty = sys.argv[1:]
held = []
for number in range(5):
    path = os.path.join(root, f"deleted-{number}")
    fd = os.open(path, os.O_CREAT | os.O_RDWR)
    os.write(fd, b"gone" * 30_000 if number else b"inline")
    for length in (100, 900, 20_000):
        try:
            os.setxattr(path, f"user.{length}", bytes(length))
        except OSError:
            break  # Only ea_inode has room for any length.
    os.unlink(path)
    held.append(fd)
nameless = os.open(root, os.O_TMPFILE | os.O_RDWR)
os.write(nameless, b"never named" * 1000)
os.sync()
shutil.copyfile(image, dirty)
END`;

async function dirtyImage(options: readonly string[]): Promise<string> {
  const live = folder.image('live');
  const dirty = folder.image('dirty');
  await makeImage(live, 64, mkfsCommand(options));
  await onMountedImage(live, WITH_ORPHANS, { environment: { DIRTY: dirty } });
  return dirty;
}

async function kernelListing(file: string): Promise<TreeListing> {
  const listing = new Map(parseKernelListing(await onMountedImage(file, LIST_TREE)));
  // The root's own times are of the moment.
  listing.delete('/');
  return listing;
}

describe.each([
  ['as Debian 12 makes it', []],
  ['orphan_file', ['-O', 'metadata_csum_seed,orphan_file']],
  ['no metadata_csum', ['-O', '^metadata_csum']],
  ['blocks of 1 KiB', ['-b', '1024']],
  ['inline_data and ea_inode', ['-O', 'inline_data,ea_inode']],
])('a volume copied while mounted, %s', (_name, options) => {
  it('is brought in order on opening, as the kernel would, and then written', async () => {
    const dirty = await dirtyImage(options);
    expect((await run('dumpe2fs', ['-h', dirty])).stdout).toContain('needs_recovery');
    const kernel = folder.image('kernel');
    await copyFile(dirty, kernel);

    await changeImage(dirty, async () => undefined);
    expect(await e2fsck(dirty)).toBe('');
    const features = (await run('dumpe2fs', ['-h', dirty])).stdout;
    expect(features).not.toMatch(/needs_recovery|orphan_present|First orphan inode/);
    // Free space included: nothing that the orphans held is lost.
    expect(listingDifferences(await kernelListing(kernel), await kernelListing(dirty))).toEqual([]);

    await changeImage(dirty, async (filesystem) => {
      await filesystem.writeFile('/after', Buffer.alloc(500_000, 'a'), metadata());
      await filesystem.writeFile('/last', Buffer.from('replaced'), metadata());
    });
    expect(await e2fsck(dirty)).toBe('');
    const read = await onMountedImage(
      dirty,
      'cat "$MNT/last"; stat -c " %s" "$MNT/after"; dmesg | tail -1 >/dev/null',
    );
    expect(read).toBe('replaced 500000\n');
  });
});

it('cuts a file whose truncation was not finished at its size', async () => {
  const file = folder.image('cut');
  await makeImage(file, 48, mkfsCommand([]));
  await onMountedImage(file, 'head -c 200000 /dev/urandom > "$MNT/cut"; stat -c %i "$MNT/cut"');
  const number = (await onMountedImage(file, 'stat -c %i "$MNT/cut"')).trim();
  for (const request of ['sif /cut size 5000', `ssv last_orphan ${number}`]) {
    await run('debugfs', ['-w', '-R', request, file]);
  }
  await changeImage(file, async (filesystem) => {
    expect(await filesystem.lstat('/cut')).toMatchObject({ sizeBytes: 5000, links: 1 });
  });
  expect(await e2fsck(file)).toBe('');
  expect((await onMountedImage(file, 'stat -c "%s %b" "$MNT/cut"')).trim()).toBe('5000 16');
});

it('corrects totals that a frozen volume has not kept up', async () => {
  const file = folder.image('totals');
  await makeImage(file, 48, mkfsCommand([]));
  const totals = async (): Promise<string[] | null> =>
    (await run('dumpe2fs', ['-h', file])).stdout.match(/Free (blocks|inodes): +\d+/g);
  const before = await totals();
  for (const request of ['ssv free_blocks_count 77', 'ssv free_inodes_count 33']) {
    await run('debugfs', ['-w', '-R', request, file]);
  }
  expect(await totals()).not.toEqual(before);
  await changeImage(file, async () => undefined);
  expect(await totals()).toEqual(before);
  expect(await e2fsck(file)).toBe('');
});

it.each([
  ['that notes errors', 'ssv state 3', [], 'FilesystemNotCleanError'],
  [
    'without journal that was not unmounted',
    'ssv state 0',
    ['-O', '^has_journal'],
    'FilesystemNotCleanError',
  ],
  ['with a feature that is not known', 'ssv feature_ro_compat 0x4000046b', [], 'RefusedFilesystemError'],
  ['that is marked read-only', 'feature +read-only', [], 'RefusedFilesystemError'],
  ['with a journal elsewhere', 'ssv journal_inum 0', [], 'RefusedFilesystemError'],
  ['with quota', 'feature +quota', [], 'UnsupportedFeatureError'],
  ['with encryption', 'feature +encrypt', [], 'UnsupportedFeatureError'],
  ['with casefolded names', 'feature +casefold', [], 'UnsupportedFeatureError'],
  ['with clusters', '', ['-O', 'bigalloc'], 'UnsupportedFeatureError'],
])('does not write to a volume %s', async (_name, request, options, error) => {
  const file = folder.image('refused');
  await makeImage(file, 48, mkfsCommand(options));
  if (request !== '') {
    await run('debugfs', ['-w', '-R', request, file]);
  }
  await using base = await FileBlockDevice.open(file);
  const overlay = new OverlayBlockDevice(base);
  await expect(openExt4Writable(overlay)).rejects.toMatchObject({ name: error });
  expect(overlay.dirtyBlocks()).toEqual([]);
});

it('does not write to a volume whose journal holds changes although nothing says so', async () => {
  const dirty = await dirtyImage([]);
  await run('debugfs', ['-w', '-R', 'feature -needs_recovery', dirty]);
  await using base = await FileBlockDevice.open(dirty);
  const overlay = new OverlayBlockDevice(base);
  await expect(openExt4Writable(overlay)).rejects.toMatchObject({ name: 'FilesystemNotCleanError' });
  expect(overlay.dirtyBlocks()).toEqual([]);
});

it('does not change an indexed directory of a volume that has lost dir_index', async () => {
  const file = folder.image('unindexed');
  await makeImage(file, 48, mkfsCommand([]));
  await onMountedImage(file, 'mkdir "$MNT/d"; cd "$MNT/d"; seq -f "some-name-%04g" 1000 | xargs touch');
  await run('debugfs', ['-w', '-R', 'feature -dir_index', file]);
  await using base = await FileBlockDevice.open(file);
  const filesystem = await openExt4Writable(new OverlayBlockDevice(base));
  const attempt = filesystem.writeFile('/d/new', new Uint8Array(), metadata());
  await expect(attempt).rejects.toMatchObject({ name: 'UnsupportedFeatureError' });
  await filesystem.writeFile('/elsewhere', new Uint8Array(), metadata());
});

it('does not write to a volume that, by its multiple mount protection, is in use', async () => {
  const [live, copy] = [folder.image('live'), folder.image('copy')];
  await makeImage(live, 48, mkfsCommand(['-O', 'mmp']));
  await onMountedImage(live, 'sync -f "$MNT"; cp "$IMAGE" "$COPY"', { environment: { COPY: copy } });
  await using base = await FileBlockDevice.open(copy);
  const overlay = new OverlayBlockDevice(base);
  await expect(openExt4Writable(overlay)).rejects.toMatchObject({
    name: 'RefusedFilesystemError',
    message: expect.stringContaining('in use'),
  });
  expect(overlay.dirtyBlocks()).toEqual([]);
  expect((await changeImage(live, async () => 'unmounted')).result).toBe('unmounted');
});
