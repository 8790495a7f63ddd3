import { chooseEngine, touchedMounts } from '../../core/apply/choose-engine';
import { isolateClone } from '../../core/clone/isolate-clone';
import type { ResolvedOperation } from '../../core/apply/apply-engine';
import { openWritableImage } from '../../core/image/open-image';
import type { CloneDocument, SnapshotsDocument, TargetDocument } from '../../core/workflow/documents';
import { applyProgressKey, cloneKey, snapshotsKey, TAGS, targetKey } from '../../core/workflow/keys';
import type { LaunchCloneInput, LaunchCloneOutput } from '../../core/workflow/payloads';
import { type CloneNetwork, registerCloneImage, runClone } from '../ec2/clones';
import { findInstance } from '../ec2/describe';
import { UsageMeter } from '../ebs/usage-meter';
import type { Services } from '../services';
import { isOnline } from '../ssm/run-command';
import { openOverlays } from './open-snapshots';
import { OutOfTime } from './put-blocks';
import { addCost, stepCost } from './step-cost';
import { CloneFailedError } from './step-errors';
import { areReadable, completeChildSnapshots, putChildSnapshots } from './write-child-snapshots';

/**
 * Starts an isolated copy of a stopped member: its base snapshot, changed offline so that it does none of its original's
 * work, as an image, and an instance of that. Each call goes as far as it can; done when the clone's agent is online.
 *
 * @throws CloneFailedError, CloneNotIsolatableError
 */
export async function launchClone(
  services: Services,
  input: LaunchCloneInput,
  network: CloneNetwork | undefined,
  hasTime: () => boolean,
): Promise<LaunchCloneOutput> {
  const { documents, ec2, ssm } = services;
  const { run, classId, instanceId } = input;
  if (network === undefined) {
    throw new CloneFailedError(
      instanceId,
      'this deployment has no network for clones',
      'Start one machine of the class, or give the deployment a network for clones.',
    );
  }
  const key = cloneKey(run, classId, instanceId);
  const known = await documents.find<CloneDocument>(key);
  if (known?.done === true) return { done: true, cloneInstanceId: known.cloneInstanceId! };
  const meter = new UsageMeter();
  const startedAt = services.now();
  const save = async (facts: Partial<CloneDocument>): Promise<CloneDocument> => {
    const cost = addCost(known, stepCost(startedAt, services.now(), meter));
    const document = { ...EMPTY, originalInstanceId: instanceId, ...known, ...facts, ...cost };
    await documents.write(key, document);
    return document;
  };

  let clone = known;
  if (clone === undefined || clone.snapshots.length === 0) {
    const written = await writeIsolatedCopy(services, input, meter, hasTime);
    if (written === undefined) return { done: false };
    clone = await save(written);
  }
  if (!clone.written) {
    const changed = clone.snapshots.filter(({ snapshotId, baseSnapshotId }) => snapshotId !== baseSnapshotId);
    const journalKey = (volumeId: string): string =>
      applyProgressKey(run, instanceId, `clone-${classId}-${volumeId}`);
    await completeChildSnapshots(services, changed, journalKey, meter);
    clone = await save({ ...clone, written: true });
  }
  if (clone.imageId === undefined) {
    if (!(await areReadable(services, clone.snapshots))) return { done: false };
    const target = await documents.read<TargetDocument>(targetKey(run, instanceId));
    clone = await save({
      ...clone,
      imageId: await registerCloneImage(ec2, run, classId, target, clone.snapshots),
    });
  }
  if (clone.cloneInstanceId === undefined) {
    const target = await documents.read<TargetDocument>(targetKey(run, instanceId));
    const cloneInstanceId = await runClone(ec2, run, classId, target, clone.imageId!, network);
    clone = await save({ ...clone, cloneInstanceId });
  }
  const cloneInstanceId = clone.cloneInstanceId!;
  const state = (await findInstance(ec2, cloneInstanceId))?.State?.Name;
  // EC2's reads lag behind its writes: for a while it may not show what it has just started.
  if (state === undefined) return { done: false };
  if (state !== 'pending' && state !== 'running') {
    throw new CloneFailedError(
      instanceId,
      `${cloneInstanceId} is ${state}`,
      'Look at its system log in EC2.',
    );
  }
  const done = state === 'running' && (await isOnline(ssm, cloneInstanceId));
  if (!done) return { done };
  await save({ ...clone, done });
  return { done, cloneInstanceId };
}

const EMPTY = { snapshots: [], changes: [], written: false, done: false };

/** Undefined when time is up. */
async function writeIsolatedCopy(
  services: Services,
  { run, classId, instanceId }: LaunchCloneInput,
  meter: UsageMeter,
  hasTime: () => boolean,
): Promise<Pick<CloneDocument, 'snapshots' | 'changes'> | undefined> {
  const base = await services.documents.read<SnapshotsDocument>(snapshotsKey(run, instanceId, 'base'));
  const volumes = await openOverlays(services, base.snapshots, meter);
  const journalKey = (volumeId: string): string =>
    applyProgressKey(run, instanceId, `clone-${classId}-${volumeId}`);
  const { kernel } = services;
  const image = await openWritableImage(volumes, { kernel });
  try {
    const changes = await isolateClone(image, {
      // Two clones of a class must not have one name: what holds it would look like a part of the update.
      hostname: `imageelves-clone-${classId}-${instanceId.slice(-6)}`,
      // The same in each try, so that a second one puts the same blocks.
      mtimeNs: BigInt(Date.parse(base.startedAt)) * 1_000_000n,
    });
    const mounts = touchedMounts(
      image.writableMounts,
      changes.map(({ operation }) => operation.path),
    );
    await chooseEngine(mounts, kernel).perform(mounts, operationsOf(changes));
    const put = await putChildSnapshots(
      services,
      volumes,
      {
        run,
        instanceId,
        purpose: 'clone',
        tags: { [TAGS.classId]: classId },
        description: `ImageElves ${run}: isolated copy of ${instanceId}`,
        journalKey,
        hasTime,
      },
      meter,
    );
    if (put instanceof OutOfTime) return undefined;
    return {
      snapshots: base.snapshots.map(
        (snapshot) =>
          put.find(({ volumeId }) => volumeId === snapshot.volumeId) ?? {
            ...snapshot,
            baseSnapshotId: snapshot.snapshotId,
            putBlocks: 0,
          },
      ),
      changes: changes.map(({ operation, why }) => ({ path: operation.path, why })),
    };
  } finally {
    await image.close();
  }
}

async function* operationsOf(
  changes: readonly { readonly operation: ResolvedOperation }[],
): AsyncIterable<ResolvedOperation> {
  for (const { operation } of changes) yield operation;
}
