import type { Snapshot, SnapshotState } from '@aws-sdk/client-ec2';
import { ACCOUNT_ID } from '../state/account';
import type { SnapshotRecord, Time } from '../state/resources';
import { toTagSet } from './tag-sets';

export function snapshotState(snapshot: SnapshotRecord, now: Time): SnapshotState {
  if (snapshot.completedAt === undefined || snapshot.completedAt > now) return 'pending';
  return snapshot.errorMessage === undefined ? 'completed' : 'error';
}

/** Whether the EBS direct APIs can read the snapshot: a while after EC2 says `completed`. */
export const isReadable = (snapshot: SnapshotRecord, now: Time): boolean =>
  snapshotState(snapshot, now) === 'completed' && (snapshot.readableAt ?? 0) <= now;

/** Inactive uploads end as errors about half as late again as was asked for. */
const TIMEOUT_LATENESS = 1.53;

/** An upload that nothing was put to for too long is in state `error` from that time on. */
export function expireUpload(snapshot: SnapshotRecord, now: Time): void {
  const { upload } = snapshot;
  if (!upload || snapshot.completedAt !== undefined) return;
  const end = upload.lastPutAt + upload.timeoutMinutes * 60_000 * TIMEOUT_LATENESS;
  if (end > now) return;
  snapshot.completedAt = end;
  snapshot.errorMessage = 'Snapshot timed out';
}

export function toSnapshot(snapshot: SnapshotRecord, now: Time): Snapshot {
  const State = snapshotState(snapshot, now);
  const completed = State === 'completed';
  return {
    SnapshotId: snapshot.snapshotId,
    VolumeId: snapshot.volumeId,
    State,
    StateMessage: State === 'error' ? snapshot.errorMessage : undefined,
    StartTime: new Date(snapshot.startTime),
    Progress: progress(snapshot, State),
    OwnerId: ACCOUNT_ID,
    VolumeSize: snapshot.sizeGiB,
    Description: snapshot.description,
    Encrypted: snapshot.encrypted,
    KmsKeyId: snapshot.kmsKeyId,
    StorageTier: 'standard',
    TransferType: 'standard',
    ...(Object.keys(snapshot.tags).length > 0 ? { Tags: toTagSet(snapshot.tags) } : {}),
    ...(completed
      ? {
          CompletionTime: new Date(snapshot.completedAt ?? snapshot.startTime),
          FullSnapshotSizeInBytes: snapshot.fullSizeBytes ?? 0,
        }
      : {}),
  };
}

function progress(snapshot: SnapshotRecord, state: SnapshotState): string {
  if (state === 'completed') return '100%';
  // An upload that is complete but not yet settled shows 99 %; what the uploader reports is not shown.
  return snapshot.upload &&
    snapshot.completedAt !== undefined &&
    state === 'pending' &&
    !snapshot.errorMessage
    ? '99%'
    : '0%';
}
