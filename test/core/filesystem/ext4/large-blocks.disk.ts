import { DirectEngine } from '../../../../core/apply/direct-engine';
import { openExt4 } from '../../../../core/filesystem/ext4/open-ext4';
import { comparableEntries } from '../../../support/comparable-entries';
import { FileBlockDevice } from '../../../support/file-block-device';
import { performByEngine, type Outcome } from '../../../support/filesystem-operations';
import { onFuseImage } from '../../../support/fuse-image';
import { KernelTwin, type KernelEntry } from '../../../support/kernel-twin';
import {
  e2fsck,
  FILL_TREE,
  ImageFolder,
  LIST_TREE,
  makeImage,
  onMountedImage,
} from '../../../support/mounted-image';
import { randomOperations } from '../../../support/random-operations';
import { listingDifferences, parseKernelListing, readerListing } from '../../../support/tree-listing';
import { mkfsCommand } from '../../../support/volume-matrix';
import { changeImage, metadata } from '../../../support/writable-image';

jest.setTimeout(120_000);

const OPERATIONS = 300;

/**
 * No kernel before Linux 6.19 mounts ext4 with blocks larger than its pages. The judges are e2fsprogs, whose fuse2fs shows
 * such a volume, and for changes the kernel's twin with blocks of 4 KiB.
 */
let folder: ImageFolder;
beforeAll(async () => {
  folder = await ImageFolder.make();
});
afterAll(async () => folder[Symbol.asyncDispose]());

it.each([16_384, 65_536])(
  'a volume with blocks of %i bytes is read as fuse2fs shows it',
  async (blockSize) => {
    const [source, file] = [folder.image('source'), folder.image(`read-${blockSize}`)];
    await makeImage(source, 96, ['mkfs.ext4', '-q', '-F']);
    await makeImage(file, 160, ['true']);
    const copy = `mke2fs -q -F -t ext4 -b ${blockSize} -N 2000 -d "$MNT" "$FILE" 2>/dev/null`;
    await onMountedImage(source, `${FILL_TREE} 300; ${copy}`, { environment: { FILE: file } });
    const expected = new Map(parseKernelListing(await onFuseImage(file, LIST_TREE)));

    await using device = await FileBlockDevice.open(file);
    const found = new Map(await readerListing(await openExt4(device)));
    // Only the kernel keeps a reserve for extent trees.
    for (const listing of [expected, found]) listing.delete('free');
    expect(listingDifferences(expected, found)).toEqual([]);
    expect(found.size).toBeGreaterThan(500);
  },
);

it.each([
  [8192, []],
  [16_384, ['-O', 'inline_data,ea_inode,large_dir,metadata_csum_seed']],
  [32_768, ['-O', '^metadata_csum,^flex_bg']],
  [65_536, []],
])(
  'random operations on a volume with blocks of %i bytes leave what the kernel leaves on its own',
  async (blockSize, options) => {
    const [ours, theirs] = [folder.image(`ours-${blockSize}`), folder.image(`theirs-${blockSize}`)];
    await makeImage(ours, 192, [...mkfsCommand(['-b', String(blockSize), '-N', '2000', ...options])]);
    await makeImage(theirs, 192, mkfsCommand(options));
    await changeImage(ours, async (writer) => {
      const link = writer.symlink('/too-long', 't'.repeat(4096), metadata());
      await expect(link).rejects.toMatchObject({ name: 'InvalidPathError' });
    });
    const operations = randomOperations(blockSize, OPERATIONS);
    const outcomes: Outcome[] = [];
    for (let first = 0; first < operations.length; first += OPERATIONS / 3) {
      await changeImage(ours, async (writer) => {
        const mounts = [{ mountPoint: '/', kind: 'ext4', filesystem: writer, writer }];
        for (const operation of operations.slice(first, first + OPERATIONS / 3)) {
          outcomes.push(await performByEngine(new DirectEngine(), mounts, operation));
        }
      });
      expect(await e2fsck(ours)).toBe('');
    }
    await using twin = KernelTwin.mount(theirs);
    expect(outcomes).toEqual(await twin.perform(operations));
    expect(toTheSecond(await fuseEntries(ours))).toEqual(toTheSecond(await twin.list()));
  },
);

async function fuseEntries(file: string): Promise<KernelEntry[]> {
  const lines = (await onFuseImage(file, LIST_TREE)).split('\n').filter((line) => line.includes('"path"'));
  return lines.map((line) => JSON.parse(line) as KernelEntry);
}

/** fuse2fs of Debian 12 tells times to the second. */
function toTheSecond(entries: readonly KernelEntry[]): string[] {
  const cut = entries.map((entry) => ({ ...entry, mtimeNs: `${entry['mtimeNs']}`.slice(0, -9) }));
  return comparableEntries(cut, { directoryTimes: false });
}
