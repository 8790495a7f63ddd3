import fc from 'fast-check';
import { matchImage } from '../../../core/match/match-image';
import { verifyManifest } from '../../../core/match/verify-manifest';
import { listImage } from '../../support/image-listing';
import { MemoryFilesystem } from '../../support/memory-filesystem';
import { MemoryImage } from '../../support/memory-image';
import { applyCaptured, captureUpdate } from '../../support/pipeline';
import { happen, happenings, type Happening, plant } from '../../support/random-tree';

const RUNS = 150;

// Seconds on a quiet machine; others may have the processors meanwhile.
jest.setTimeout(60_000);

async function twoSides(first: Happening[], second: Happening[]) {
  const before = new MemoryFilesystem();
  await plant(before);
  await happen(before, first);
  const after = before.clone();
  await happen(after, second);
  return { before, after, captured: await captureUpdate(new MemoryImage(before), new MemoryImage(after)) };
}

/** A directory whose own entries did not change keeps its time on each machine. */
function withoutTimesOfDirectories(listing: Record<string, string>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(listing).map(([path, line]) => {
      const parts = line.split(' | ');
      if (parts[0] === 'directory') parts[5] = '';
      return [path, parts.join(' | ')];
    }),
  );
}

describe('for any tree and any changes to it', () => {
  it('capture and apply to the tree as it was gives the tree as it is, and apply knows when it is done', async () => {
    await fc.assert(
      fc.asyncProperty(happenings, happenings, async (first, second) => {
        const { before, after, captured } = await twoSides(first, second);
        const member = new MemoryImage(before.clone());
        expect((await matchImage(captured.manifest, member)).matched).toBe(true);
        await applyCaptured(captured, member);

        // Times alone make no update: without an operation there is nothing to apply.
        const listed = { times: captured.manifest.operations.length > 0 };
        expect(withoutTimesOfDirectories(await listImage(member, listed))).toEqual(
          withoutTimesOfDirectories(await listImage(new MemoryImage(after), listed)),
        );
        expect(await verifyManifest(captured.manifest, member, captured)).toMatchObject({ verified: true });
        expect(await matchImage(captured.manifest, member)).toMatchObject({
          matched: true,
          alreadyPatched: true,
        });
        expect(await applyCaptured(captured, member)).toMatchObject({ operations: 0, alreadyPatched: true });
      }),
      { numRuns: RUNS },
    );
  });

  it('what else a machine has stays as it is', async () => {
    await fc.assert(
      fc.asyncProperty(happenings, happenings, async (first, second) => {
        const { before, after, captured } = await twoSides(first, second);
        const [member, expected] = [before.clone(), after.clone()];
        for (const filesystem of [member, expected]) {
          await filesystem.put('/own/data', 'kept', { mtimeNs: 1n });
          await filesystem.put('/own/more/data', 'kept too', { mtimeNs: 2n });
        }
        await applyCaptured(captured, new MemoryImage(member));
        expect(await listImage(new MemoryImage(member), { times: false })).toEqual(
          await listImage(new MemoryImage(expected), { times: false }),
        );
      }),
      { numRuns: RUNS },
    );
  });

  it('a machine on which an entry that the update replaces or removes was changed does not match, and it is named', async () => {
    await fc.assert(
      fc.asyncProperty(happenings, happenings, fc.nat(), async (first, second, choice) => {
        const { before, captured } = await twoSides(first, second);
        const tampered = captured.manifest.operations.filter(
          (operation, index, all) =>
            (operation.kind === 'put-file' || operation.kind === 'remove') &&
            'beforeSizeBytes' in operation &&
            operation.before !== operation.after &&
            all.findIndex(({ path }) => path === operation.path) === index,
        );
        fc.pre(tampered.length > 0);
        const { path } = tampered[choice % tampered.length]!;
        const member = before.clone();
        await member.put(path, 'tampered with on this machine');
        const image = new MemoryImage(member);
        const listed = await listImage(image);

        const match = await matchImage(captured.manifest, image);
        expect(match.matched).toBe(false);
        expect(match.differences.map((difference) => difference.path)).toContain(path);
        await expect(applyCaptured(captured, image)).rejects.toMatchObject({ name: 'ManifestMismatchError' });
        expect(await listImage(image)).toEqual(listed);
      }),
      { numRuns: RUNS },
    );
  });
});
