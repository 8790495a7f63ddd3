import { applyManifest as applyToImage } from '../../core/apply/apply-manifest';
import { openWritableImage } from '../../core/image/open-image';
import type { ApplyDocument, PlanDocument, SnapshotsDocument } from '../../core/workflow/documents';
import { applyKey, applyProgressKey, planKey, snapshotsKey, TAGS } from '../../core/workflow/keys';
import type { ApplyManifestInput, ApplyManifestOutput } from '../../core/workflow/payloads';
import { SnapshotFailedError } from '../ebs/ebs-errors';
import { UsageMeter } from '../ebs/usage-meter';
import { patchHolder } from '../s3/lease-store';
import type { Services } from '../services';
import { readManifest } from './read-manifest';
import { openOverlays } from './open-snapshots';
import { OutOfTime } from './put-blocks';
import { addCost, stepCost } from './step-cost';
import { areReadable, completeChildSnapshots, putChildSnapshots } from './write-child-snapshots';

/**
 * Performs the manifest on the blocks of one member, as children of its base snapshots. The changes are worked out anew
 * in each invocation until all is put; what was put is in the journal, and what it tells is put again only where the
 * bytes came out otherwise. So an invocation that dies or runs out of time is followed by one that goes on.
 *
 * @param hasTime whether the invocation has time for more puts
 */
export async function applyManifest(
  services: Services,
  input: ApplyManifestInput,
  hasTime: () => boolean,
): Promise<ApplyManifestOutput> {
  const { documents } = services;
  const { run, instanceId, classId } = input;
  await services.leases.renew(instanceId, patchHolder(run));
  const key = applyKey(run, instanceId);
  const known = await documents.find<ApplyDocument>(key);
  if (known?.done === true) return outputOf(known);
  const startedAt = services.now();
  const meter = new UsageMeter();
  const finish = async (facts: Partial<ApplyDocument>): Promise<ApplyManifestOutput> => {
    const document: ApplyDocument = {
      ...EMPTY,
      instanceId,
      classId,
      manifestDigest: input.manifestDigest,
      ...known,
      ...facts,
      ...addCost(known, stepCost(startedAt, services.now(), meter)),
    };
    await documents.write(key, document);
    return outputOf(document);
  };
  const journalKey = (volumeId: string): string => applyProgressKey(run, instanceId, volumeId);
  /** From here on nothing is worked out again: what is put is what becomes of the machine. */
  const completed = async (facts: Partial<ApplyDocument>): Promise<ApplyManifestOutput> => {
    const snapshots = facts.snapshots ?? known?.snapshots ?? [];
    await completeChildSnapshots(services, snapshots, journalKey, meter);
    return finish({ ...facts, written: true, done: snapshots.length === 0 });
  };
  if (known?.written === true) {
    meter.listCalls += known.snapshots.length;
    try {
      return await finish({ done: await areReadable(services, known.snapshots) });
    } catch (error) {
      if (!(error instanceof SnapshotFailedError) || known.attempts >= MAX_ATTEMPTS) throw error;
      // Refused after CompleteSnapshot, or cancelled: the next invocation begins another one.
      return finish({ written: false, put: false, snapshots: [] });
    }
  }
  if (known?.put === true) return completed({});

  const attempts = (known?.attempts ?? 0) + 1;
  // Written down first: an invocation that is killed has been an attempt too.
  await finish({ attempts });
  const [{ settings }, { snapshots }, manifest] = await Promise.all([
    documents.read<PlanDocument>(planKey(run)),
    documents.read<SnapshotsDocument>(snapshotsKey(run, instanceId, 'base')),
    readManifest(documents, input),
  ]);
  const { kernel, packs } = services;
  const volumes = await openOverlays(services, snapshots, meter);
  const image = await openWritableImage(volumes, { kernel });
  try {
    const result = await applyToImage({ manifest, image, packs, kernel, verify: settings.verify });
    const touched = new Set(manifest.operations.flatMap(({ path }) => image.mountOf(path).volumeIds));
    const put = await putChildSnapshots(
      services,
      // A journal that was replayed changes a volume too, but is no reason to replace it.
      volumes.filter(({ volumeId }) => !result.alreadyPatched && touched.has(volumeId)),
      {
        run,
        instanceId,
        purpose: 'patched',
        tags: { [TAGS.classId]: classId },
        description: `ImageElves ${run}: ${instanceId} patched`,
        journalKey,
        hasTime,
      },
      meter,
    );
    if (put instanceof OutOfTime) return await finish({ attempts });
    const { operations, contentBytes, engine } = result;
    const facts = { attempts, operations, contentBytes, engine, snapshots: put, put: true };
    await finish(facts);
    return await completed(facts);
  } finally {
    await image.close();
  }
}

/** Invocations after which a snapshot that failed is not begun anew. */
const MAX_ATTEMPTS = 5;

const EMPTY = {
  operations: 0,
  contentBytes: 0,
  snapshots: [],
  attempts: 0,
  put: false,
  written: false,
  done: false,
};

function outputOf({ done, snapshots, calls }: ApplyDocument): ApplyManifestOutput {
  const root = snapshots.find(({ isRoot }) => isRoot) ?? snapshots[0];
  return {
    done,
    ...(root === undefined ? {} : { snapshotId: root.snapshotId }),
    putBlocks: calls.putBlocks,
    getBlocks: calls.getBlocks,
  };
}
