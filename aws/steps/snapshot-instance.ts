import type { Instance } from '@aws-sdk/client-ec2';
import { QUIESCE } from '../../core/update/quiesce';
import type { PlanDocument, SnapshotsDocument } from '../../core/workflow/documents';
import { planKey, snapshotsKey, TAGS } from '../../core/workflow/keys';
import type { SnapshotInstanceInput, SnapshotInstanceOutput } from '../../core/workflow/payloads';
import { describeInstance, findVolumesById } from '../ec2/describe';
import { createSnapshotOnce, isSnapshotReadable } from '../ec2/instance-snapshots';
import { attachedVolumes, launchTimeOf } from '../ec2/target';
import { UsageMeter } from '../ebs/usage-meter';
import type { Services } from '../services';
import { commandState, sendCommandOnce } from '../ssm/run-command';
import { addCost, stepCost } from './step-cost';
import { InstanceUnsuitableError } from './step-errors';

const FLUSH_SECONDS = 300;

/** Makes the snapshots of one instance for one purpose, once, and says when all of them can be read. */
export async function snapshotInstance(
  services: Services,
  input: SnapshotInstanceInput,
): Promise<SnapshotInstanceOutput> {
  const { documents } = services;
  const key = snapshotsKey(input.run, input.instanceId, input.purpose);
  const known = await documents.find<SnapshotsDocument>(key);
  if (known?.done === true) return { done: true, snapshotsKey: key };

  const startedAt = services.now();
  const meter = new UsageMeter();
  const instance = await describeInstance(services.ec2, input.instanceId);
  const state = instance.State?.Name ?? 'unknown';
  if (state === 'pending' || state === 'stopping') return { done: false, snapshotsKey: key };
  if (state !== 'running' && state !== 'stopped') {
    throw new InstanceUnsuitableError(input.instanceId, `is ${state}: there is nothing to snapshot`);
  }

  let document: SnapshotsDocument = known ?? {
    instanceId: input.instanceId,
    purpose: input.purpose,
    state,
    launchTime: launchTimeOf(instance),
    snapshots: [],
    done: false,
    ...stepCost(startedAt, startedAt, meter),
  };
  if (document.snapshots.length === 0 && (await needsFlush(services, input))) {
    const flushed = await flushCaches(services, input, document);
    if (flushed !== 'done') return { done: false, snapshotsKey: key };
  }
  document = await createMissing(services, input, document, instance);
  const readable = await Promise.all(
    document.snapshots.map(({ snapshotId }) => isSnapshotReadable(services.ec2, services.ebs, snapshotId)),
  );
  meter.listCalls += readable.length;
  const done = readable.every((one) => one);
  const cost = addCost(document, stepCost(startedAt, services.now(), meter));
  await documents.write(key, { ...document, ...cost, done });
  return { done, snapshotsKey: key };
}

/** After the update its own script has done so; a document that says nothing of it does not. */
async function needsFlush(
  { documents }: Services,
  { run, purpose }: SnapshotInstanceInput,
): Promise<boolean> {
  if (purpose !== 'after') return purpose === 'before';
  return (await documents.read<PlanDocument>(planKey(run))).settings.update.kind === 'document';
}

/**
 * A snapshot has what was written to the disk, not what a running system still holds in memory. What came before the
 * update and is written after it would look like a part of the update: so it is written first.
 */
async function flushCaches(
  services: Services,
  { run, instanceId, purpose }: SnapshotInstanceInput,
  document: SnapshotsDocument,
): Promise<'done' | 'waiting'> {
  if (document.flushCommandId === undefined) {
    const flushCommandId = await sendCommandOnce(services, {
      instanceId,
      commands: QUIESCE,
      timeoutSeconds: FLUSH_SECONDS,
      comment: `imageelves ${run} ${instanceId}: sync ${purpose}`,
    });
    await services.documents.write(snapshotsKey(run, instanceId, purpose), { ...document, flushCommandId });
    return 'waiting';
  }
  const state = await commandState(services.ssm, document.flushCommandId, instanceId);
  if (state.ended && !state.succeeded) {
    throw new InstanceUnsuitableError(
      instanceId,
      `did not write its caches to the disk before its snapshot (${state.status}): its agent does not work`,
    );
  }
  return state.ended ? 'done' : 'waiting';
}

/** Writes the document after each snapshot made, so that not even a killed Lambda makes one twice. */
async function createMissing(
  services: Services,
  { run, instanceId, purpose, classId }: SnapshotInstanceInput,
  document: SnapshotsDocument,
  instance: Instance,
): Promise<SnapshotsDocument> {
  const ids = (instance.BlockDeviceMappings ?? []).flatMap(({ Ebs }) => Ebs?.VolumeId ?? []);
  const volumes = await findVolumesById(services.ec2, ids);
  let current = document;
  for (const volume of attachedVolumes(instance, new Map(volumes.map((one) => [one.VolumeId!, one])))) {
    if (current.snapshots.some(({ volumeId }) => volumeId === volume.volumeId)) continue;
    const tags = {
      [TAGS.run]: run,
      [TAGS.instance]: instanceId,
      [TAGS.volume]: volume.volumeId,
      [TAGS.purpose]: purpose,
      ...(classId === undefined ? {} : { [TAGS.classId]: classId }),
    };
    const description = `ImageElves ${run}: ${purpose} of ${instanceId}`;
    const snapshot = await createSnapshotOnce(services.ec2, volume, tags, description);
    current = { ...current, snapshots: [...current.snapshots, snapshot] };
    await services.documents.write(snapshotsKey(run, instanceId, purpose), current);
  }
  return current;
}
