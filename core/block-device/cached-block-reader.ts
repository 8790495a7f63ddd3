import { LRUCache } from 'lru-cache';
import { type BlockReader, SNAPSHOT_BLOCK_BYTES } from './block-device';
import { assertWithin } from './device-errors';
import { plainBytes } from './paged-bytes';

/**
 * Reads whole blocks and keeps the last few, for who reads a disk a little at a time: partition tables, superblocks and
 * labels lie in few blocks. Reads that are longer than a block pass through.
 */
export class CachedBlockReader implements BlockReader {
  readonly sizeBytes: number;
  private readonly blocks: LRUCache<number, Promise<Uint8Array>>;

  constructor(
    private readonly base: BlockReader,
    { cacheBytes = 16 * 1024 * 1024 }: { readonly cacheBytes?: number } = {},
  ) {
    this.sizeBytes = base.sizeBytes;
    this.blocks = new LRUCache({ max: Math.max(1, Math.floor(cacheBytes / SNAPSHOT_BLOCK_BYTES)) });
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

  private block(index: number): Promise<Uint8Array> {
    const known = this.blocks.get(index);
    if (known !== undefined) return known;
    const start = index * SNAPSHOT_BLOCK_BYTES;
    const block = this.base
      .read(start, Math.min(SNAPSHOT_BLOCK_BYTES, this.sizeBytes - start))
      .then((bytes) => plainBytes(bytes));
    this.blocks.set(index, block);
    // A failed read is not remembered; the caller sees the error itself.
    block.catch(() => this.blocks.delete(index));
    return block;
  }
}
