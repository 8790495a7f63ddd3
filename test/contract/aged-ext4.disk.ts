import { copyFile, rm } from 'node:fs/promises';
import { DirectEngine } from '../../core/apply/direct-engine';
import { openExt4 } from '../../core/filesystem/ext4/open-ext4';
import { makeAgedImage, makeCutImages } from '../support/aged-images';
import { comparableEntries } from '../support/comparable-entries';
import { FileBlockDevice } from '../support/file-block-device';
import { resolvedOperation } from '../support/filesystem-operations';
import { KernelTwin } from '../support/kernel-twin';
import { e2fsck, ImageFolder, LIST_TREE, onMountedImage } from '../support/mounted-image';
import {
  listingDifferences,
  parseKernelListing,
  readerListing,
  type TreeListing,
} from '../support/tree-listing';
import { changeImage } from '../support/writable-image';
import { sequence } from './operations';
import { patchOperations } from './patch-operations';

/** Where the power is cut is chance: more moments are tried by CUTS=30. */
const CUTS = Number(process.env['CUTS'] ?? 2);
const MKFS = ['mkfs.ext4', '-q', '-F', '-m', '0', '-b', '4096'];

jest.setTimeout(120_000 + CUTS * 20_000);

let folder: ImageFolder;
beforeAll(async () => {
  folder = await ImageFolder.make();
});
afterAll(async () => folder[Symbol.asyncDispose]());

async function ourListing(file: string): Promise<TreeListing> {
  await using device = await FileBlockDevice.open(file);
  return await readerListing(await openExt4(device));
}

/** Patches the image with the direct engine, and a copy with the kernel: both must be the same, and clean. */
async function expectPatchedAlike(file: string): Promise<void> {
  const theirs = `${file}.theirs`;
  await copyFile(file, theirs);
  await using twin = KernelTwin.mount(theirs);
  const operations = await patchOperations(twin, await twin.list());
  expect(operations.length).toBeGreaterThan(100);
  await changeImage(file, async (writer) => {
    const mounts = [{ mountPoint: '/', kind: 'ext4', filesystem: writer, writer }];
    await new DirectEngine().perform(mounts, sequence(operations.map(resolvedOperation)));
  });
  expect(await e2fsck(file)).toBe('');
  const options = { directoryTimes: false };
  const expected = comparableEntries(await twin.list(), options);
  const differing = comparableEntries(await twin.list(file), options).filter(
    (line, n) => line !== expected[n],
  );
  expect(differing.slice(0, 10)).toEqual([]);
  await rm(theirs);
}

describe('a volume that is 90 % full, in pieces, with 100,000 names and thousands of attributes', () => {
  let file: string;
  beforeAll(async () => {
    file = folder.image('aged');
    await makeAgedImage(file, MKFS, 96);
  });

  it('is read as the kernel reads it', async () => {
    const kernel = parseKernelListing(await onMountedImage(file, LIST_TREE));
    expect(kernel.size).toBeGreaterThan(85_000);
    expect(listingDifferences(kernel, await ourListing(file))).toEqual([]);
  });

  it('is patched as the kernel patches it', async () => expectPatchedAlike(file));
});

describe.each([
  ['as Debian 12 makes it', [], 1],
  ['blocks of 1 KiB, orphan_file, no flex_bg', ['-b', '1024', '-O', '^flex_bg,orphan_file'], 2],
])('the power cut in the middle of writes to a volume: %s', (name, options, seed) => {
  let files: string[];
  beforeAll(async () => {
    files = await makeCutImages(folder, name.replaceAll(/\W+/g, '-'), {
      mkfs: [...MKFS, '-J', 'size=4', ...options],
      ...{ sizeMiB: 64, cuts: CUTS, seed },
    });
  });

  it('is read as the kernel reads it, and patched as the kernel patches it', async () => {
    for (const file of files) {
      const kernelsCopy = `${file}.kernel`;
      await copyFile(file, kernelsCopy);
      const kernel = new Map(parseKernelListing(await onMountedImage(kernelsCopy, LIST_TREE)));
      const ours = new Map(await ourListing(file));
      // The space of what was deleted while it was open is free once it is mounted; a reader leaves it where it is.
      for (const listing of [kernel, ours]) listing.delete('free');
      expect(kernel.size).toBeGreaterThan(20);
      expect(listingDifferences(kernel, ours)).toEqual([]);
      await expectPatchedAlike(file);
      await rm(kernelsCopy);
      await rm(file);
    }
  });
});
