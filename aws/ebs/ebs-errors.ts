import { ImageElvesError } from '../../core/errors';

/** The snapshot exists by EC2's word, but EBS direct does not serve it yet. Try again later. */
export class SnapshotNotReadableError extends ImageElvesError {
  override readonly name = 'SnapshotNotReadableError';

  constructor(snapshotId: string, waitedSeconds: number, options?: ErrorOptions) {
    super(
      `Snapshot ${snapshotId} could not be read after ${waitedSeconds} s of waiting.`,
      { snapshotId, waitedSeconds },
      'Check that the snapshot is completed, in the standard tier and not deleted.',
      options,
    );
  }
}

/** What came over the wire is not what was stored, several times in a row. */
export class BlockChecksumError extends ImageElvesError {
  override readonly name = 'BlockChecksumError';

  constructor(snapshotId: string, blockIndex: number, expected: string, found: string) {
    super(`Block ${blockIndex} of ${snapshotId} has checksum ${found}, announced was ${expected}.`, {
      snapshotId,
      blockIndex,
      expected,
      found,
    });
  }
}

/** A snapshot ended in a state it cannot leave: cancelled for its age, or refused for its count or checksum. */
export class SnapshotFailedError extends ImageElvesError {
  override readonly name = 'SnapshotFailedError';

  constructor(snapshotId: string, state: string, stateMessage?: string) {
    super(`Snapshot ${snapshotId} ended in state ${state}${stateMessage ? `: ${stateMessage}` : ''}.`, {
      snapshotId,
      state,
      stateMessage,
    });
  }
}

/** The token derived for this snapshot was used with other parameters: two versions of a step disagree. */
export class SnapshotTokenConflictError extends ImageElvesError {
  override readonly name = 'SnapshotTokenConflictError';

  constructor(parentSnapshotId: string, options?: ErrorOptions) {
    super(
      `A snapshot of ${parentSnapshotId} was already started for this run with other parameters.`,
      { parentSnapshotId },
      'Start a new run; the snapshot that was started is cancelled by itself.',
      options,
    );
  }
}
