import {
  CompleteSnapshotCommand,
  type EBSClient,
  PutSnapshotBlockCommand,
  StartSnapshotCommand,
} from '@aws-sdk/client-ebs';
import { SNAPSHOT_BLOCK_BYTES } from '../../core/block-device/block-device';
import { type Pause, realPause } from '../pause';
import { errorCode, errorMessage, hasCode, isSnapshotNotFound } from '../service-errors';
import { blockDigest, linearChecksum } from './block-checksum';
import { SnapshotFailedError, SnapshotTokenConflictError } from './ebs-errors';
import type { UsageMeter } from './usage-meter';

export interface StartOptions {
  readonly parentSnapshotId: string;
  readonly sizeGib: number;
  /** At most 64 ASCII characters, the same for every try of the same step: then a new invocation finds the same snapshot. */
  readonly clientToken: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly description: string;
}

/** Minutes without a put after which EBS cancels a pending snapshot: longer than a Lambda and its retries take. */
const TIMEOUT_MINUTES = 120;

/** "Does not exist" right after StartSnapshot lasted up to two minutes (coldsnap issue 43). */
const LAG = { attempts: 40, pauseMs: 3_000 };

/**
 * A pending snapshot over a parent: only changed blocks are put. A block that became zero has to be put as zeros, for an
 * index that is not put keeps the parent's content.
 */
export class SnapshotWriter {
  constructor(
    private readonly client: EBSClient,
    readonly snapshotId: string,
    private readonly meter: UsageMeter,
    private readonly pause: Pause = realPause,
  ) {}

  /**
   * Starts the snapshot, or finds the one that an earlier try started with the same token.
   * @throws SnapshotTokenConflictError
   */
  static async start(
    client: EBSClient,
    options: StartOptions,
    meter: UsageMeter,
    pause: Pause = realPause,
  ): Promise<SnapshotWriter> {
    try {
      const started = await client.send(
        new StartSnapshotCommand({
          ParentSnapshotId: options.parentSnapshotId,
          VolumeSize: options.sizeGib,
          ClientToken: options.clientToken,
          Description: options.description,
          Timeout: TIMEOUT_MINUTES,
          Tags: Object.entries(options.tags).map(([Key, Value]) => ({ Key, Value })),
        }),
      );
      return new SnapshotWriter(client, started.SnapshotId!, meter, pause);
    } catch (error) {
      if (hasCode(error, 'ConflictException')) {
        throw new SnapshotTokenConflictError(options.parentSnapshotId, { cause: error });
      }
      throw error;
    }
  }

  /**
   * Puts one whole block and answers its raw SHA-256. Putting the same block again is harmless while the snapshot is pending.
   * @throws SnapshotFailedError when the snapshot was cancelled meanwhile
   */
  async put(index: number, bytes: Uint8Array): Promise<Buffer> {
    if (bytes.length !== SNAPSHOT_BLOCK_BYTES) {
      throw new RangeError(`a snapshot block has ${SNAPSHOT_BLOCK_BYTES} bytes, not ${bytes.length}`);
    }
    const digest = blockDigest(bytes);
    for (let attempt = 1; ; attempt += 1) {
      this.meter.putBlocks += 1;
      this.meter.bytesWritten += bytes.length;
      try {
        await this.client.send(
          new PutSnapshotBlockCommand({
            SnapshotId: this.snapshotId,
            BlockIndex: index,
            BlockData: bytes,
            DataLength: SNAPSHOT_BLOCK_BYTES,
            Checksum: digest.toString('base64'),
            ChecksumAlgorithm: 'SHA256',
          }),
        );
        return digest;
      } catch (error) {
        if (attempt === LAG.attempts && isSnapshotNotFound(error)) {
          throw new SnapshotFailedError(this.snapshotId, 'error', errorMessage(error));
        }
        if (attempt === LAG.attempts || !isWorthAnotherPut(error)) throw error;
        await this.pause(LAG.pauseMs);
      }
    }
  }

  /**
   * Says that all is put. The snapshot then becomes `completed`, or `error` when the count or the checksum is not EBS's own;
   * this call tells neither.
   * @param digests the raw SHA-256 of every index ever put, as last put
   */
  async complete(digests: ReadonlyMap<number, Uint8Array>): Promise<void> {
    try {
      await this.client.send(
        new CompleteSnapshotCommand({
          SnapshotId: this.snapshotId,
          ChangedBlocksCount: digests.size,
          Checksum: linearChecksum(digests),
          ChecksumAlgorithm: 'SHA256',
          ChecksumAggregationMethod: 'LINEAR',
        }),
      );
    } catch (error) {
      // By an invocation that was killed before it could write that down.
      if (!errorMessage(error).includes('already completed')) throw error;
    }
  }
}

/** What the SDK does not retry, but AWS says to (EBS direct user guide, error retries). */
function isWorthAnotherPut(error: unknown): boolean {
  if (isSnapshotNotFound(error)) return true;
  return (
    errorCode(error) === 'ValidationException' && errorMessage(error).includes('Failed to read block data')
  );
}
