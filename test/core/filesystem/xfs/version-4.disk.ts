import { copyFile } from 'node:fs/promises';
import { RecoveryNeededError } from '../../../../core/filesystem/errors';
import { openXfs } from '../../../../core/filesystem/xfs/open-xfs';
import { FileBlockDevice } from '../../../support/file-block-device';
import { onImageInGuest } from '../../../support/guest-kernel';
import { FILL_TREE, ImageFolder, LIST_TREE, makeImage } from '../../../support/mounted-image';
import { listingDifferences, parseKernelListing, readerListing } from '../../../support/tree-listing';

jest.setTimeout(600_000);

const FILL_XFS = '"$PYTHON" "$SUPPORT/fill-xfs.py" "$MNT" 1';

let folder: ImageFolder;
beforeAll(async () => {
  folder = await ImageFolder.make();
});
afterAll(async () => folder[Symbol.asyncDispose]());

/** A boot of the guest costs seconds: the second volume only where all are asked for. */
const VOLUMES: readonly (readonly [name: string, options: readonly string[], fill: string])[] = [
  [
    'as it was made first: blocks of 512 bytes, no types in directories, the old log and attributes',
    ['-b', 'size=512', '-n', 'ftype=0', '-l', 'version=1', '-i', 'attr=1,projid32bit=0'],
    `${FILL_TREE} 20; ${FILL_XFS} symlinks`,
  ],
  ['as it was made last', [], `${FILL_TREE} 200; ${FILL_XFS} directories attributes symlinks extents`],
];
const CHOSEN = process.env['VOLUMES'] === 'all' ? VOLUMES : VOLUMES.slice(0, 1);

describe('openXfs reads version 4 as a kernel that still knows it', () => {
  it.each(CHOSEN)('%s', async (name, options, fill) => {
    const [file, crashed] = [folder.image(name), folder.image(`${name} crashed`)];
    const mkfs = ['mkfs.xfs', '-q', '-f', '-K', '--unsupported', '-L', 'four', '-m', 'crc=0', ...options];
    await makeImage(file, 64, mkfs, { filledWith: 0xa5 });
    const kernel = parseKernelListing(await onImageInGuest(file, `${fill}\n${LIST_TREE}`));

    await using device = await FileBlockDevice.open(file);
    const filesystem = await openXfs(device);
    expect(filesystem.label).toBe('four');
    expect(listingDifferences(kernel, await readerListing(filesystem))).toEqual([]);

    await copyFile(file, crashed);
    await onImageInGuest(
      crashed,
      'mkdir "$MNT/late"; echo late > "$MNT/late/file"; sync -f "$MNT/late/file"',
      {
        unmount: false,
      },
    );
    await using dirty = await FileBlockDevice.open(crashed);
    await expect(openXfs(dirty)).rejects.toBeInstanceOf(RecoveryNeededError);
  });
});
