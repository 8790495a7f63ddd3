import { type BlockReader, SNAPSHOT_BLOCK_BYTES } from './block-device';
import { BlockMemory, type BlockTable } from './block-memory';
import { assertWithin } from './device-errors';
import { plainBytes } from './paged-bytes';

/**
 * Reads whole blocks and keeps them in the memory of an image, for who reads a disk a little at a time: partition tables,
 * superblocks and labels lie in few blocks. Reads that are longer than a block pass through.
 */
export class CachedBlockReader implements BlockReader {
  readonly sizeBytes: number;
  private readonly blocks: BlockTable;
  private readonly pending = new Map<number, Promise<Uint8Array>>();

  constructor(
    private readonly base: BlockReader,
    readonly memory: BlockMemory = base.memory ?? new BlockMemory(),
  ) {
    this.sizeBytes = base.sizeBytes;
    this.blocks = memory.table();
  }

  async read(offsetBytes: number, lengthBytes: number): Promise<Uint8Array> {
    assertWithin(offsetBytes, lengthBytes, this.sizeBytes);
    if (lengthBytes > SNAPSHOT_BLOCK_BYTES) return this.base.read(offsetBytes, lengthBytes);
    const first = Math.floor(offsetBytes / SNAPSHOT_BLOCK_BYTES);
    const last = Math.floor((offsetBytes + Math.max(lengthBytes, 1) - 1) / SNAPSHOT_BLOCK_BYTES);
    const start = offsetBytes - first * SNAPSHOT_BLOCK_BYTES;
    if (first === last) return (await this.block(first)).subarray(start, start + lengthBytes);
    const [one, other] = await Promise.all([this.block(first), this.block(last)]);
    const out = new Uint8Array(lengthBytes);
    out.set(one.subarray(start));
    out.set(other.subarray(0, lengthBytes - (SNAPSHOT_BLOCK_BYTES - start)), SNAPSHOT_BLOCK_BYTES - start);
    return out;
  }

  private async block(index: number): Promise<Uint8Array> {
    const known = this.blocks.get(index);
    if (known !== undefined) return known;
    const underWay = this.pending.get(index);
    if (underWay !== undefined) return underWay;
    const reading = this.fetch(index);
    this.pending.set(index, reading);
    try {
      return await reading;
    } finally {
      this.pending.delete(index);
    }
  }

  private async fetch(index: number): Promise<Uint8Array> {
    const start = index * SNAPSHOT_BLOCK_BYTES;
    const bytes = await this.base.read(start, Math.min(SNAPSHOT_BLOCK_BYTES, this.sizeBytes - start));
    const block = plainBytes(bytes);
    this.blocks.set(index, block);
    return block;
  }
}
