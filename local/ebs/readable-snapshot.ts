import { expireUpload, isReadable, snapshotState } from '../ec2/snapshot-view';
import type { LocalEc2State } from '../state/local-ec2-state';
import type { SnapshotRecord } from '../state/resources';
import { invalid, snapshotNotFound } from './ebs-errors';

export function findSnapshot(state: LocalEc2State, snapshotId: string): SnapshotRecord {
  const snapshot = state.snapshots.get(snapshotId);
  if (!snapshot) throw snapshotNotFound(snapshotId);
  expireUpload(snapshot, state.now());
  return snapshot;
}

/** A snapshot whose blocks can be read: completed, and for some time already. */
export function findReadable(state: LocalEc2State, snapshotId: string): SnapshotRecord {
  const snapshot = findSnapshot(state, snapshotId);
  if (!isReadable(snapshot, state.now())) throw snapshotNotFound(snapshotId);
  return snapshot;
}

/** A snapshot that another can be written onto. */
export function findParent(state: LocalEc2State, snapshotId: string): SnapshotRecord {
  const snapshot = findSnapshot(state, snapshotId);
  const now = state.now();
  const current = snapshotState(snapshot, now);
  if (current === 'error') throw snapshotNotFound(snapshotId);
  if (!isReadable(snapshot, now))
    throw invalid('INVALID_SNAPSHOT_ID', `Source snapshot (${snapshotId}) is not complete.`);
  return snapshot;
}
