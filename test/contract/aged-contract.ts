import { copyFile, rm } from 'node:fs/promises';
import type { ResolvedOperation } from '../../core/apply/apply-engine';
import { makeAgedImage, makeCutImages } from '../support/aged-images';
import { comparableEntries } from '../support/comparable-entries';
import { type FilesystemOperation, resolvedOperation } from '../support/filesystem-operations';
import { KernelTwin } from '../support/kernel-twin';
import { ImageFolder, LIST_TREE, onMountedImage } from '../support/mounted-image';
import { listingDifferences, parseKernelListing, type TreeListing } from '../support/tree-listing';
import { patchOperations } from './patch-operations';

/** A filesystem that the kernel ages, read and patched by the code under test. */
export interface AgedFilesystem {
  readonly mkfs: readonly string[];
  readonly sizeMiB: number;
  /** Ways to make the volumes whose power is cut, by name, as further options of mkfs. */
  readonly cut: Readonly<Record<string, readonly string[]>>;
  readonly read: (file: string) => Promise<TreeListing>;
  /** Changes the image file as an engine changes it. */
  readonly patch: (file: string, operations: readonly ResolvedOperation[]) => Promise<void>;
  /** The filesystem's own checker. @returns what it complains about */
  readonly check: (file: string) => Promise<string>;
}

/** One of the volumes is cut, another one each day; VOLUMES=all cuts them all. */
const VOLUMES = process.env['VOLUMES'];
const DAY = Math.floor(Date.now() / 86_400_000);

/** Where the power is cut is chance: more moments are tried by CUTS=30. */
const CUTS = Number(process.env['CUTS'] ?? 1);

export const AGED_TIMEOUT_MS = 180_000 + CUTS * 60_000;

async function onTwin<T>(file: string, work: (twin: KernelTwin) => Promise<T>): Promise<T> {
  await using twin = KernelTwin.mount(file);
  return await work(twin);
}

/** What is read and patched rightly however the kernel left it. */
export function agedContract(under: AgedFilesystem): void {
  let folder: ImageFolder;
  beforeAll(async () => {
    folder = await ImageFolder.make();
  });
  afterAll(async () => folder[Symbol.asyncDispose]());

  /** Patches the image, and a copy with this machine's kernel: both must be the same, and clean. */
  async function expectPatchedAlike(file: string): Promise<void> {
    const theirs = `${file}.theirs`;
    await copyFile(file, theirs);
    let operations: FilesystemOperation[] = [];
    const options = { directoryTimes: false };
    const expected = await onTwin(theirs, async (twin) => {
      operations = await patchOperations(twin, await twin.list());
      return comparableEntries(await twin.list(), options);
    });
    expect(operations.length).toBeGreaterThan(60);
    await under.patch(file, operations.map(resolvedOperation));
    expect(await under.check(file)).toBe('');
    const listed = await onTwin(file, async (twin) => comparableEntries(await twin.list(), options));
    // Shown a few at a time: there may be 90,000 of them.
    expect(listed.filter((line, n) => line !== expected[n]).slice(0, 10)).toEqual([]);
    expect(listed.length).toBe(expected.length);
    await rm(theirs);
  }

  describe('a volume that is 90 % full, in pieces, with 100,000 names and thousands of attributes', () => {
    let file: string;
    beforeAll(async () => {
      file = folder.image('aged');
      await makeAgedImage(file, under.mkfs, under.sizeMiB);
    }, AGED_TIMEOUT_MS);

    it('is read as the kernel reads it', async () => {
      const kernel = parseKernelListing(await onMountedImage(file, LIST_TREE));
      expect(kernel.size).toBeGreaterThan(85_000);
      expect(listingDifferences(kernel, await under.read(file))).toEqual([]);
    });

    it('is patched as the kernel patches it', async () => expectPatchedAlike(file));
  });

  const cuts = Object.entries(under.cut).map(([name, options], seed) => ({ name, options, seed }));
  it.each(VOLUMES === 'all' ? cuts : cuts.filter(({ seed }) => seed === DAY % cuts.length))(
    'whose power was cut in the middle of writes is read and patched as by the kernel: $name',
    async ({ options, seed }) => {
      const files = await makeCutImages(folder, `cut-${seed}`, {
        mkfs: [...under.mkfs, ...options],
        ...{ sizeMiB: 64, cuts: CUTS, seed: seed + 1 },
      });
      for (const file of files) {
        const kernelsCopy = `${file}.kernel`;
        await copyFile(file, kernelsCopy);
        const kernel = new Map(parseKernelListing(await onMountedImage(kernelsCopy, LIST_TREE)));
        const ours = new Map(await under.read(file));
        // The space of what was deleted while it was open is free once it is mounted; a reader leaves it where it is.
        for (const listing of [kernel, ours]) listing.delete('free');
        expect(kernel.size).toBeGreaterThan(100);
        expect(listingDifferences(kernel, ours)).toEqual([]);
        await expectPatchedAlike(file);
        await rm(kernelsCopy);
        await rm(file);
      }
    },
  );
}
