import { type EBSClient, ListSnapshotBlocksCommand } from '@aws-sdk/client-ebs';
import { type Pause, realPause } from '../pause';
import { isSnapshotNotFound } from '../service-errors';
import { SnapshotNotReadableError } from './ebs-errors';
import type { UsageMeter } from './usage-meter';

/** The most that one page may hold. */
const PAGE_BLOCKS = 10_000;

/** EC2 has said `completed` over a minute before EBS direct served a snapshot; the steps check that before they read. */
const LAG = { attempts: 10, pauseMs: 3_000 };

/** One stretch of block indexes of which every written block is known. */
interface Stretch {
  readonly from: number;
  /** Exclusive. */
  readonly to: number;
}

/**
 * Which blocks of one snapshot were ever written, and the token that reads each. Listed from where it is asked and no
 * further: the root of a machine is one or two calls, and a large data volume is not listed for its superblock's sake.
 */
export class BlockListing {
  private readonly tokens = new Map<number, string>();
  private stretches: Stretch[] = [];
  private volumeSizeBytes: number | undefined;
  private pending: Promise<void> = Promise.resolve();

  constructor(
    private readonly client: EBSClient,
    readonly snapshotId: string,
    private readonly meter: UsageMeter,
    private readonly pause: Pause = realPause,
  ) {}

  /** Size of the volume in bytes. @throws SnapshotNotReadableError */
  async sizeBytes(): Promise<number> {
    await this.cover(0);
    return this.volumeSizeBytes!;
  }

  /** The token of a block, or undefined when it was never written. @throws SnapshotNotReadableError */
  async token(index: number): Promise<string | undefined> {
    if (!this.tokens.has(index)) await this.cover(index);
    return this.tokens.get(index);
  }

  /** Forgets what is known around a block whose token was refused. */
  forget(index: number): void {
    this.stretches = this.stretches.filter(({ from, to }) => index < from || index >= to);
    this.tokens.delete(index);
  }

  /** Listings of one snapshot go one after the other: the second finds what the first brought. */
  private cover(index: number): Promise<void> {
    const covered = () => this.stretches.some(({ from, to }) => index >= from && index < to);
    if (covered()) return Promise.resolve();
    const next = this.pending.then(() => (covered() ? undefined : this.list(index)));
    this.pending = next.catch(() => undefined);
    return next;
  }

  private async list(from: number): Promise<void> {
    let nextToken: string | undefined;
    let last = -1;
    do {
      const page = await this.page(from, nextToken);
      for (const { BlockIndex, BlockToken } of page.Blocks ?? []) {
        if (BlockIndex === undefined || BlockToken === undefined) continue;
        this.tokens.set(BlockIndex, BlockToken);
        last = Math.max(last, BlockIndex);
      }
      nextToken = page.NextToken;
      this.volumeSizeBytes ??= (page.VolumeSize ?? 0) * 2 ** 30;
      // A page can be short or empty while there is a further one.
    } while (nextToken !== undefined && last < from);
    this.stretches.push({ from, to: nextToken === undefined ? Number.MAX_SAFE_INTEGER : last + 1 });
  }

  private async page(startingBlockIndex: number, nextToken: string | undefined) {
    for (let attempt = 1; ; attempt += 1) {
      this.meter.listCalls += 1;
      try {
        return await this.client.send(
          new ListSnapshotBlocksCommand({
            SnapshotId: this.snapshotId,
            MaxResults: PAGE_BLOCKS,
            ...(nextToken === undefined
              ? { StartingBlockIndex: startingBlockIndex }
              : { NextToken: nextToken }),
          }),
        );
      } catch (error) {
        if (!isSnapshotNotFound(error)) throw error;
        if (attempt === LAG.attempts) {
          throw new SnapshotNotReadableError(this.snapshotId, ((attempt - 1) * LAG.pauseMs) / 1000, {
            cause: error,
          });
        }
        await this.pause(LAG.pauseMs);
      }
    }
  }
}
