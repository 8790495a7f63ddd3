import type { BlockMemory } from './block-memory';
import { type BlockReader, SNAPSHOT_BLOCK_BYTES } from './block-device';

/** Counts what is read through it, in calls, bytes and snapshot blocks: the figures of reports and of tests of thrift. */
export class CountingBlockReader implements BlockReader {
  readonly sizeBytes: number;
  calls = 0;
  bytesRead = 0;
  /** Block index to the number of calls that touched it. */
  readonly readsByBlock = new Map<number, number>();

  constructor(
    private readonly base: BlockReader,
    private readonly blockBytes: number = SNAPSHOT_BLOCK_BYTES,
  ) {
    this.sizeBytes = base.sizeBytes;
  }

  get memory(): BlockMemory | undefined {
    return this.base.memory;
  }

  async read(offsetBytes: number, lengthBytes: number): Promise<Uint8Array> {
    this.calls += 1;
    this.bytesRead += lengthBytes;
    const last = Math.floor((offsetBytes + Math.max(lengthBytes, 1) - 1) / this.blockBytes);
    for (let index = Math.floor(offsetBytes / this.blockBytes); index <= last; index += 1) {
      this.readsByBlock.set(index, (this.readsByBlock.get(index) ?? 0) + 1);
    }
    return this.base.read(offsetBytes, lengthBytes);
  }

  /** Number of distinct blocks read. */
  get blocksRead(): number {
    return this.readsByBlock.size;
  }

  blocksReadMoreThanOnce(): number[] {
    return [...this.readsByBlock].filter(([, reads]) => reads > 1).map(([index]) => index);
  }
}
