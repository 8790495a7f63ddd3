import type {
  CopySnapshotCommandInput,
  CreateSnapshotCommandInput,
  CreateSnapshotsCommandInput,
  DeleteSnapshotCommandInput,
  DescribeSnapshotsCommandInput,
  DescribeSnapshotsCommandOutput,
  Snapshot,
  SnapshotInfo,
  Tag,
} from '@aws-sdk/client-ec2';
import { ACCOUNT_ID, DEFAULT_EBS_KEY_ARN } from '../state/account';
import { newId } from '../state/ids';
import type { LocalEc2State } from '../state/local-ec2-state';
import type { SnapshotRecord, Tags, VolumeRecord } from '../state/resources';
import { copySnapshotBytes, removeSnapshotBytes, takeSnapshot } from '../state/snapshot-bytes';
import { AwsError } from '../wire';
import { volumesOf } from './attachments';
import {
  endDryRun,
  incorrectState,
  instanceNotFound,
  invalidCombination,
  invalidParameterValue,
  missingParameter,
  snapshotNotFound,
  volumeNotFound,
  wellFormed,
} from './ec2-errors';
import { applyFilters, type FilterValues } from './filters';
import { page } from './pagination';
import { expireUpload, snapshotState, toSnapshot } from './snapshot-view';
import { tagsFor, toTagSet } from './tag-sets';
import { findVolume, volumeState } from './volume-view';

export function createSnapshotHandler(state: LocalEc2State) {
  return async (input: CreateSnapshotCommandInput): Promise<Snapshot> => {
    const volume = snapshottable(state, input.VolumeId);
    const tags = tagsFor('snapshot', input.TagSpecifications);
    endDryRun(input.DryRun);
    const snapshot = await snapshotVolume(state, volume, input.Description ?? '', tags);
    return created(snapshot);
  };
}

/** All volumes of an instance at one moment. */
export function createSnapshotsHandler(state: LocalEc2State) {
  return async (input: CreateSnapshotsCommandInput): Promise<{ Snapshots: SnapshotInfo[] }> => {
    const specification = input.InstanceSpecification ?? { InstanceId: '' };
    const instanceId = specification.InstanceId ?? '';
    const instance = state.instances.get(instanceId);
    if (!instance) throw instanceNotFound([instanceId]);
    const tags = tagsFor('snapshot', input.TagSpecifications);
    const excluded = new Set(specification.ExcludeDataVolumeIds ?? []);
    const volumes = volumesOf(state, instanceId)
      .filter((volume) => !excluded.has(volume.volumeId))
      .filter(
        ({ attachment }) =>
          !(specification.ExcludeBootVolume && attachment?.device === instance.rootDeviceName),
      )
      .map((volume) => snapshottable(state, volume.volumeId));
    if (volumes.length === 0)
      throw invalidParameterValue(`There are no volumes to snapshot on instance ${instanceId}.`);
    endDryRun(input.DryRun);
    const snapshots = await Promise.all(
      volumes.map((volume) =>
        snapshotVolume(state, volume, input.Description ?? '', {
          ...(input.CopyTagsFromSource === 'volume' ? volume.tags : {}),
          ...tags,
        }),
      ),
    );
    return { Snapshots: snapshots.map(created) };
  };
}

function snapshottable(state: LocalEc2State, volumeId: string | undefined): VolumeRecord {
  if (volumeId === undefined || volumeId === '')
    throw missingParameter('The request must contain the parameter volumeId');
  if (!wellFormed(volumeId, 'vol'))
    throw invalidParameterValue(
      `Value (${volumeId}) for parameter volumeId is invalid. Expected: 'vol-...'.`,
    );
  const volume = findVolume(state, volumeId);
  if (!volume || volume.deletedAt !== undefined) throw volumeNotFound(volumeId);
  const now = state.now();
  if (volumeState(volume, now) === 'creating')
    throw incorrectState(`Volume '${volumeId}' is not 'available'.`);
  if (volume.lastSnapshotAt !== undefined && now - volume.lastSnapshotAt < state.timings.snapshotInterval)
    throw new AwsError(
      'SnapshotCreationPerVolumeRateExceeded',
      'The maximum per volume CreateSnapshot request rate has been exceeded. ' +
        'Use an increasing or variable sleep interval between requests.',
    );
  return volume;
}

async function snapshotVolume(
  state: LocalEc2State,
  volume: VolumeRecord,
  description: string,
  tags: Tags,
): Promise<SnapshotRecord> {
  const now = state.now();
  volume.lastSnapshotAt = now;
  const snapshot: SnapshotRecord = {
    snapshotId: newId('snap'),
    volumeId: volume.volumeId,
    sizeGiB: volume.sizeGiB,
    description,
    startTime: now,
    encrypted: volume.encrypted,
    kmsKeyId: volume.kmsKeyId,
    lineage: volume.lineage,
    tags,
    completedAt: now + state.timings.snapshotPending,
    readableAt: now + state.timings.snapshotPending + state.timings.directReadLag,
  };
  await takeSnapshot(state, volume, snapshot);
  state.snapshots.set(snapshot.snapshotId, snapshot);
  state.changed();
  return snapshot;
}

/** The answer of CreateSnapshot: an empty progress, tags always, no KMS key. */
function created(snapshot: SnapshotRecord): Snapshot & { Tags: Tag[] } {
  return {
    SnapshotId: snapshot.snapshotId,
    VolumeId: snapshot.volumeId,
    VolumeSize: snapshot.sizeGiB,
    Description: snapshot.description,
    State: 'pending',
    Progress: '',
    StartTime: new Date(snapshot.startTime),
    OwnerId: ACCOUNT_ID,
    Encrypted: snapshot.encrypted,
    Tags: toTagSet(snapshot.tags),
  };
}

export function copySnapshotHandler(state: LocalEc2State) {
  return async (input: CopySnapshotCommandInput): Promise<{ SnapshotId: string; Tags: Tag[] }> => {
    const source = mustFind(state, input.SourceSnapshotId ?? '');
    const now = state.now();
    const current = snapshotState(source, now);
    if (current !== 'completed') throw incorrectState(`Snapshot is in invalid state - ${current}`);
    const tags = tagsFor('snapshot', input.TagSpecifications);
    endDryRun(input.DryRun);
    const encrypted = source.encrypted || (input.Encrypted ?? false);
    const snapshot: SnapshotRecord = {
      snapshotId: newId('snap'),
      volumeId: 'vol-ffffffff',
      sizeGiB: source.sizeGiB,
      description: input.Description ?? `[Copied ${source.snapshotId} from ${input.SourceRegion}]`,
      startTime: now,
      encrypted,
      kmsKeyId: encrypted ? (input.KmsKeyId ?? source.kmsKeyId ?? DEFAULT_EBS_KEY_ARN) : undefined,
      lineage: source.lineage,
      tags,
      completedAt: now + state.timings.snapshotPending,
      readableAt: now + state.timings.snapshotPending + state.timings.directReadLag,
    };
    await copySnapshotBytes(state, source, snapshot);
    state.snapshots.set(snapshot.snapshotId, snapshot);
    state.changed();
    return { SnapshotId: snapshot.snapshotId, Tags: toTagSet(tags) };
  };
}

export function describeSnapshotsHandler(state: LocalEc2State) {
  return (input: DescribeSnapshotsCommandInput): Omit<DescribeSnapshotsCommandOutput, '$metadata'> => {
    endDryRun(input.DryRun);
    const { SnapshotIds: ids } = input;
    for (const snapshot of state.snapshots.values()) expireUpload(snapshot, state.now());
    if (ids?.length && input.MaxResults !== undefined)
      throw invalidCombination('The parameter snapshotIdsSet cannot be used with the parameter maxResults');
    for (const id of ids ?? [])
      if (!wellFormed(id, 'snap'))
        throw new AwsError('InvalidSnapshotID.Malformed', `Invalid id: "${id}" (expecting "snap-...")`);
    const chosen = ids?.length ? ids.map((id) => mustFind(state, id)) : [...state.snapshots.values()];
    const owners = input.OwnerIds ?? [];
    const owned = owners.length === 0 || owners.includes('self') || owners.includes(ACCOUNT_ID);
    const found = applyFilters(owned ? chosen : [], input.Filters, ({ tags }) => tags, filterValues(state));
    const { items, NextToken } = page(found, input);
    return { Snapshots: items.map((snapshot) => toSnapshot(snapshot, state.now())), NextToken };
  };
}

const filterValues =
  (state: LocalEc2State): FilterValues<SnapshotRecord> =>
  (name, snapshot) => {
    switch (name) {
      case 'description':
        return [snapshot.description];
      case 'encrypted':
        return [String(snapshot.encrypted)];
      case 'owner-id':
        return [ACCOUNT_ID];
      case 'progress':
        return [toSnapshot(snapshot, state.now()).Progress ?? ''];
      case 'snapshot-id':
        return [snapshot.snapshotId];
      case 'start-time':
        return [new Date(snapshot.startTime).toISOString()];
      case 'status':
        return [snapshotState(snapshot, state.now())];
      case 'volume-id':
        return [snapshot.volumeId];
      case 'volume-size':
        return [String(snapshot.sizeGiB)];
      default:
        return undefined;
    }
  };

export function deleteSnapshotHandler(state: LocalEc2State) {
  return async (input: DeleteSnapshotCommandInput): Promise<void> => {
    const snapshotId = input.SnapshotId ?? '';
    if (!wellFormed(snapshotId, 'snap'))
      throw new AwsError(
        'InvalidSnapshotID.Malformed',
        `Value (${snapshotId}) for parameter snapshotId is invalid. Expected: 'snap-...'.`,
      );
    const snapshot = mustFind(state, snapshotId);
    const image = [...state.images.values()].find(({ blockDevices }) =>
      blockDevices.some((device) => device.snapshotId === snapshotId),
    );
    if (image)
      throw new AwsError(
        'InvalidSnapshot.InUse',
        `The snapshot ${snapshotId} is currently in use by ${image.imageId}`,
      );
    endDryRun(input.DryRun);
    state.snapshots.delete(snapshot.snapshotId);
    await removeSnapshotBytes(state, snapshot.snapshotId);
    state.changed();
  };
}

function mustFind(state: LocalEc2State, snapshotId: string): SnapshotRecord {
  const snapshot = state.snapshots.get(snapshotId);
  if (!snapshot) throw snapshotNotFound(snapshotId);
  return snapshot;
}
