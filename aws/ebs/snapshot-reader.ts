import { type EBSClient, GetSnapshotBlockCommand } from '@aws-sdk/client-ebs';
import pLimit from 'p-limit';
import { type BlockReader, SNAPSHOT_BLOCK_BYTES } from '../../core/block-device/block-device';
import { BlockMemory, type BlockTable } from '../../core/block-device/block-memory';
import { type Pause, realPause } from '../pause';
import { errorReason } from '../service-errors';
import { blockDigest } from './block-checksum';
import { BlockListing } from './block-listing';
import { BlockChecksumError } from './ebs-errors';
import { UsageMeter } from './usage-meter';

export interface SnapshotReaderOptions {
  readonly meter?: UsageMeter;
  /** Get calls under way at once. 149 blocks/s fill a Lambda's network at about 0.1 s each; the SDK slows down when throttled. */
  readonly concurrency?: number;
  /** Where blocks are kept, those of an image's other volumes among them. What is kept is not read (nor paid for) again. */
  readonly memory?: BlockMemory;
  readonly pause?: Pause;
}

/** A wrong token is listed anew once, a wrong checksum is read anew: more often would hide a fault. */
const ATTEMPTS = 3;

/**
 * One snapshot as a disk, over the EBS direct APIs. Blocks are read when they are asked for, in parallel, each once while
 * it fits the cache, and each against its SHA-256: the SDK does not check it. A block that was never written reads as zeros.
 */
export class SnapshotReader implements BlockReader {
  private readonly limit;
  readonly memory: BlockMemory;
  private readonly cache: BlockTable;
  private readonly underWay = new Map<number, Promise<Uint8Array>>();

  private constructor(
    private readonly client: EBSClient,
    private readonly listing: BlockListing,
    readonly sizeBytes: number,
    private readonly meter: UsageMeter,
    options: SnapshotReaderOptions,
  ) {
    this.limit = pLimit(options.concurrency ?? 48);
    this.memory = options.memory ?? new BlockMemory();
    this.cache = this.memory.table();
  }

  /** @throws SnapshotNotReadableError */
  static async open(
    client: EBSClient,
    snapshotId: string,
    options: SnapshotReaderOptions = {},
  ): Promise<SnapshotReader> {
    const meter = options.meter ?? new UsageMeter();
    const listing = new BlockListing(client, snapshotId, meter, options.pause ?? realPause);
    return new SnapshotReader(client, listing, await listing.sizeBytes(), meter, options);
  }

  get snapshotId(): string {
    return this.listing.snapshotId;
  }

  /** @throws RangeError when the range is not within the volume, BlockChecksumError, SnapshotNotReadableError */
  async read(offsetBytes: number, lengthBytes: number): Promise<Uint8Array> {
    if (offsetBytes < 0 || lengthBytes < 0 || offsetBytes + lengthBytes > this.sizeBytes) {
      throw new RangeError(
        `read of ${lengthBytes} bytes at ${offsetBytes} is outside of ${this.snapshotId} (${this.sizeBytes} bytes)`,
      );
    }
    if (lengthBytes === 0) return new Uint8Array(0);
    const first = Math.floor(offsetBytes / SNAPSHOT_BLOCK_BYTES);
    const last = Math.floor((offsetBytes + lengthBytes - 1) / SNAPSHOT_BLOCK_BYTES);
    if (first === last) {
      // Not copied: whoever keeps it shares its memory with this reader.
      const within = offsetBytes - first * SNAPSHOT_BLOCK_BYTES;
      const block = await this.block(first);
      return block === undefined ? new Uint8Array(lengthBytes) : block.subarray(within, within + lengthBytes);
    }
    const result = new Uint8Array(lengthBytes);
    const indexes = Array.from({ length: last - first + 1 }, (_, i) => first + i);
    await Promise.all(
      indexes.map(async (index) => {
        const block = await this.block(index);
        const start = index * SNAPSHOT_BLOCK_BYTES;
        const from = Math.max(offsetBytes, start);
        const to = Math.min(offsetBytes + lengthBytes, start + SNAPSHOT_BLOCK_BYTES);
        if (block !== undefined) result.set(block.subarray(from - start, to - start), from - offsetBytes);
      }),
    );
    return result;
  }

  /** Undefined for a block of zeros that was never written. */
  private async block(index: number): Promise<Uint8Array | undefined> {
    const kept = this.cache.get(index);
    if (kept !== undefined) return kept;
    if ((await this.listing.token(index)) === undefined) return undefined;
    // Looked up again: it may have arrived while the token was awaited.
    let reading = this.cache.get(index) ?? this.underWay.get(index);
    if (reading === undefined) {
      reading = this.limit(() => this.fetch(index));
      this.underWay.set(index, reading);
      const forget = () => this.underWay.delete(index);
      reading.then((block) => this.cache.set(index, block)).then(forget, forget);
    }
    return reading;
  }

  private async fetch(index: number): Promise<Uint8Array> {
    for (let attempt = 1; ; attempt += 1) {
      const token = await this.listing.token(index);
      try {
        return await this.get(index, token!);
      } catch (error) {
        if (attempt === ATTEMPTS) throw error;
        // Tokens live seven days and belong to one listing of one snapshot: a refused one is listed anew.
        if (errorReason(error) === 'INVALID_BLOCK_TOKEN') this.listing.forget(index);
        else if (!(error instanceof BlockChecksumError)) throw error;
      }
    }
  }

  private async get(index: number, token: string): Promise<Uint8Array> {
    this.meter.getBlocks += 1;
    const answer = await this.client.send(
      new GetSnapshotBlockCommand({ SnapshotId: this.snapshotId, BlockIndex: index, BlockToken: token }),
    );
    const bytes = (await answer.BlockData?.transformToByteArray()) ?? new Uint8Array(0);
    this.meter.bytesRead += bytes.length;
    const found = blockDigest(bytes).toString('base64');
    if (found !== answer.Checksum || bytes.length !== SNAPSHOT_BLOCK_BYTES) {
      throw new BlockChecksumError(this.snapshotId, index, answer.Checksum ?? 'none', found);
    }
    return bytes;
  }
}
