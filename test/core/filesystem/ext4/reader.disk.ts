import { execFile } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { promisify } from 'node:util';
import { openExt4 } from '../../../../core/filesystem/ext4/open-ext4';
import { FileBlockDevice } from '../../../support/file-block-device';
import { ImageFolder, LIST_TREE, makeImage, onMountedImage } from '../../../support/mounted-image';
import { listingDifferences, parseKernelListing, readerListing } from '../../../support/tree-listing';

jest.setTimeout(60_000);
const run = promisify(execFile);

let folder: ImageFolder;
beforeAll(async () => {
  folder = await ImageFolder.make();
});
afterAll(async () => folder[Symbol.asyncDispose]());

describe('openExt4 reads what the kernel shows', () => {
  it('a directory index of two levels and a deep extent tree', async () => {
    const file = folder.image('deep');
    await makeImage(file, 256, ['mkfs.ext4', '-q', '-F', '-b', '1024', '-N', '40000']);
    const script = `
      "$PYTHON" - "$MNT" <<'PYTHON'
import os, sys
root = sys.argv[1]
os.mkdir(root + '/large')
for number in range(6000):
    os.close(os.open(f'{root}/large/{number:x>60}', os.O_CREAT))
with open(root + '/comb', 'wb') as file:
    for block in range(12000):
        file.seek(block * 2048)
        file.write(b'%d' % block)
PYTHON
      ${LIST_TREE}`;
    const kernel = parseKernelListing(await onMountedImage(file, script));

    await using device = await FileBlockDevice.open(file);
    const ours = await readerListing(await openExt4(device));

    expect(listingDifferences(kernel, ours)).toEqual([]);
    expect(kernel.size).toBe(6_000 + 5);
    await rm(file);
  });

  it('a volume with its journal on another device, when that has nothing for it', async () => {
    const file = folder.image('elsewhere');
    await makeImage(file, 16, ['mkfs.ext4', '-q', '-F']);
    await onMountedImage(file, 'echo kept > "$MNT/file"');
    await run('debugfs', ['-w', '-R', 'ssv journal_inum 0', file]);

    await using device = await FileBlockDevice.open(file);
    const filesystem = await openExt4(device);
    expect(Buffer.from(await filesystem.readFile('/file')).toString()).toBe('kept\n');

    await run('debugfs', ['-w', '-R', 'feature +needs_recovery', file]);
    await expect(openExt4(device)).rejects.toMatchObject({
      name: 'UnsupportedFeatureError',
      features: ['journal on another device'],
    });
    await rm(file);
  });

  it('ranges of a file of five terabytes that is nearly all hole', async () => {
    const file = folder.image('huge');
    await makeImage(file, 64, ['mkfs.ext4', '-q', '-F', '-b', '4096']);
    await onMountedImage(file, `printf end | dd of="$MNT/huge" bs=1 seek=5000000000000 status=none`);

    await using device = await FileBlockDevice.open(file);
    const filesystem = await openExt4(device);

    expect((await filesystem.lstat('/huge'))?.sizeBytes).toBe(5_000_000_000_003);
    const tail = await filesystem.readFile('/huge', { offsetBytes: 4_999_999_999_999, lengthBytes: 100 });
    expect(Buffer.from(tail).toString('latin1')).toBe('\0end');
    await expect(filesystem.readFile('/huge')).rejects.toMatchObject({ name: 'FileTooLargeError' });
    await rm(file);
  });
});
