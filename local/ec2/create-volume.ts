import type { CreateVolumeCommandInput, Volume } from '@aws-sdk/client-ec2';
import { AVAILABILITY_ZONES, DEFAULT_EBS_KEY_ARN } from '../state/account';
import { newId } from '../state/ids';
import type { LocalEc2State } from '../state/local-ec2-state';
import type { SnapshotRecord, VolumeRecord } from '../state/resources';
import { fillVolume } from '../state/snapshot-bytes';
import { AwsError } from '../wire';
import { endDryRun, incorrectState, invalidParameterValue, missingParameter, wellFormed } from './ec2-errors';
import { remember, replayed } from './idempotency';
import { snapshotState } from './snapshot-view';
import { tagsFor, toTagSet } from './tag-sets';
import { performanceOf, volumeTypeOf } from './volume-rules';
import { findVolume, toVolume } from './volume-view';

/** A key that exists can be used; of those that do not, EC2 learns only after it has answered. */
const usableKey = (keyId: string): boolean => keyId === 'alias/aws/ebs' || keyId.startsWith('arn:aws:kms:');

export function createVolumeHandler(state: LocalEc2State) {
  return async (input: CreateVolumeCommandInput): Promise<Volume> => {
    const zone = zoneOf(input);
    const volumeType = volumeTypeOf(input.VolumeType);
    const snapshot = sourceSnapshot(state, input.SnapshotId);
    if (input.Size === undefined && !snapshot)
      throw missingParameter('The request must contain the parameter size/snapshot');
    const asked = input.Size ?? snapshot?.sizeGiB ?? 0;
    const performance = performanceOf({
      volumeType,
      // A size below the snapshot's is raised without a word.
      sizeGiB: Math.max(asked, snapshot?.sizeGiB ?? asked),
      iops: input.Iops,
      throughput: input.Throughput,
    });
    if (input.KmsKeyId !== undefined && !input.Encrypted && !snapshot?.encrypted)
      throw new AwsError(
        'InvalidParameterDependency',
        'The parameter [KmsKeyId] requires the parameter Encrypted to be set.',
      );
    const tags = tagsFor('volume', input.TagSpecifications);
    endDryRun(input.DryRun);

    const made = replayed(state, 'CreateVolume', input, (id) => findVolume(state, id) !== undefined);
    if (made !== undefined) return created(state, made);
    const encrypted = (input.Encrypted ?? false) || (snapshot?.encrypted ?? false);
    const kmsKeyId = encrypted ? (input.KmsKeyId ?? snapshot?.kmsKeyId ?? DEFAULT_EBS_KEY_ARN) : undefined;
    const volume = newVolume(state, { zone, snapshot, encrypted, kmsKeyId, tags, ...performance });
    remember(state, 'CreateVolume', input, volume.volumeId);
    await fillVolume(state, volume);
    state.changed();
    return created(state, volume.volumeId);
  };
}

export interface NewVolume {
  zone: string;
  volumeType: string;
  sizeGiB: number;
  iops?: number;
  throughput?: number;
  snapshot?: SnapshotRecord;
  encrypted: boolean;
  kmsKeyId?: string;
  tags: Record<string, string>;
}

/** Adds a volume in state `creating`; its bytes are filled in by the caller. */
export function newVolume(state: LocalEc2State, options: NewVolume): VolumeRecord {
  const now = state.now();
  const volume: VolumeRecord = {
    volumeId: newId('vol'),
    sizeGiB: options.sizeGiB,
    availabilityZone: options.zone,
    volumeType: options.volumeType,
    iops: options.iops,
    throughput: options.throughput,
    encrypted: options.encrypted,
    kmsKeyId: options.kmsKeyId,
    snapshotId: options.snapshot?.snapshotId ?? '',
    lineage: options.snapshot?.lineage ?? newId('lineage'),
    createTime: now,
    availableAt: now + state.timings.volumeCreating,
    ...(options.kmsKeyId !== undefined && !usableKey(options.kmsKeyId)
      ? { vanishesAt: now + state.timings.volumeCreating }
      : {}),
    tags: options.tags,
  };
  state.volumes.set(volume.volumeId, volume);
  return volume;
}

/** The answer of CreateVolume: whole seconds, tags always, no KMS key. */
function created(state: LocalEc2State, volumeId: string): Volume {
  const volume = findVolume(state, volumeId);
  if (!volume)
    throw new AwsError('InternalError', `The volume ${volumeId} vanished while it was created.`, 500);
  const view = toVolume(volume, state.now());
  return {
    ...view,
    Attachments: undefined,
    KmsKeyId: undefined,
    Tags: toTagSet(volume.tags),
    CreateTime: new Date(Math.floor(volume.createTime / 1000) * 1000),
  };
}

function zoneOf(input: CreateVolumeCommandInput): string {
  if (input.AvailabilityZoneId !== undefined) {
    const found = Object.entries(AVAILABILITY_ZONES).find(([, id]) => id === input.AvailabilityZoneId);
    if (!found)
      throw invalidParameterValue(
        `Value (${input.AvailabilityZoneId}) for parameter availabilityZoneId is invalid. Subnets can currently only be created in the following availability zones: ${Object.values(AVAILABILITY_ZONES).join(', ')}.`,
      );
    return found[0];
  }
  if (input.AvailabilityZone === undefined || input.AvailabilityZone === '')
    throw missingParameter('The request must contain the parameter zone');
  if (!(input.AvailabilityZone in AVAILABILITY_ZONES))
    throw new AwsError('InvalidZone.NotFound', `The zone '${input.AvailabilityZone}' does not exist.`);
  return input.AvailabilityZone;
}

function sourceSnapshot(state: LocalEc2State, snapshotId: string | undefined): SnapshotRecord | undefined {
  if (snapshotId === undefined || snapshotId === '') return undefined;
  if (!wellFormed(snapshotId, 'snap'))
    throw new AwsError(
      'InvalidSnapshotID.Malformed',
      `Value ( ${snapshotId} ) for parameter SNAPSHOT is invalid. `,
    );
  const snapshot = state.snapshots.get(snapshotId);
  if (!snapshot) throw new AwsError('InvalidSnapshot.NotFound', 'Snapshot does not exist');
  const current = snapshotState(snapshot, state.now());
  if (current !== 'completed') throw incorrectState(`Snapshot is in invalid state - ${current}`);
  return snapshot;
}
