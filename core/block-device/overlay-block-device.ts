import { type BlockDevice, type BlockReader, type Piece, SNAPSHOT_BLOCK_BYTES } from './block-device';
import { BlockMemory, type BlockTable } from './block-memory';
import { assertWithin } from './device-errors';
import { PagedBytes, plainBytes } from './paged-bytes';

const PAGE_BYTES = 4096;
/** Base blocks that changedBlocks() fetches at the same time. */
const PARALLEL_READS = 16;

/** One block that must be put: its index and all of its bytes. */
export interface ChangedBlock {
  readonly index: number;
  /** SNAPSHOT_BLOCK_BYTES long; zeros stand after the end of a device that ends within the block. */
  readonly bytes: Uint8Array;
}

export interface OverlayOptions {
  /** For blocks of the base that were read, instead of the memory of the base. While they fit, none is read twice. */
  readonly baseCacheBytes?: number | undefined;
}

/**
 * A writable device over one that is only read. Changes stay in memory, by page, until the caller puts the changed
 * blocks somewhere. To drop all changes, drop the overlay.
 */
export class OverlayBlockDevice implements BlockDevice {
  readonly sizeBytes: number;
  private readonly pages = new PagedBytes(PAGE_BYTES);
  private readonly dirty = new Set<number>();
  readonly memory: BlockMemory;
  private readonly cached: BlockTable;
  private readonly pending = new Map<number, Promise<Uint8Array>>();

  constructor(
    private readonly base: BlockReader,
    { baseCacheBytes }: OverlayOptions = {},
  ) {
    this.sizeBytes = base.sizeBytes;
    this.memory =
      baseCacheBytes === undefined ? (base.memory ?? new BlockMemory()) : new BlockMemory(baseCacheBytes);
    this.cached = this.memory.table();
  }

  async read(offsetBytes: number, lengthBytes: number): Promise<Uint8Array> {
    assertWithin(offsetBytes, lengthBytes, this.sizeBytes);
    if (lengthBytes > 0 && this.pages.covers(offsetBytes, lengthBytes)) {
      const out = new Uint8Array(lengthBytes);
      this.pages.layOver(out, offsetBytes);
      return out;
    }
    const bytes = await this.readBase(offsetBytes, lengthBytes);
    if (!this.pages.touches(offsetBytes, lengthBytes)) {
      return bytes;
    }
    const out = new Uint8Array(bytes);
    this.pages.layOver(out, offsetBytes);
    return out;
  }

  async write(offsetBytes: number, bytes: Uint8Array): Promise<void> {
    return this.writeAll([{ offsetBytes, bytes }]);
  }

  async writeAll(pieces: readonly Piece[]): Promise<void> {
    for (const { offsetBytes, bytes } of pieces) assertWithin(offsetBytes, bytes.length, this.sizeBytes);
    // Every base byte is fetched before the first page changes, so that a failed read leaves no half write.
    const ofBase = new Map<number, Uint8Array>();
    for (const { offsetBytes, bytes } of pieces) {
      if (bytes.length === 0) continue;
      const end = offsetBytes + bytes.length;
      const last = this.pages.lastPageOf(offsetBytes, bytes.length);
      for (const page of new Set([this.pages.firstPageOf(offsetBytes), last])) {
        const start = page * PAGE_BYTES;
        const stop = Math.min(start + PAGE_BYTES, this.sizeBytes);
        const isPartial = start < offsetBytes || stop > end;
        if (isPartial && this.pages.get(page) === undefined && !ofBase.has(page)) {
          ofBase.set(page, await this.readBase(start, stop - start));
        }
      }
    }
    for (const piece of pieces) this.put(piece, ofBase);
  }

  private put({ offsetBytes, bytes }: Piece, ofBase: ReadonlyMap<number, Uint8Array>): void {
    if (bytes.length === 0) return;
    const end = offsetBytes + bytes.length;
    const last = this.pages.lastPageOf(offsetBytes, bytes.length);
    for (let page = this.pages.firstPageOf(offsetBytes); page <= last; page += 1) {
      const start = page * PAGE_BYTES;
      this.dirty.add(Math.floor(start / SNAPSHOT_BLOCK_BYTES));
      if (start >= offsetBytes && start + PAGE_BYTES <= end) {
        this.pages.set(
          page,
          plainBytes(bytes.subarray(start - offsetBytes, start - offsetBytes + PAGE_BYTES)),
        );
        continue;
      }
      const fresh = new Uint8Array(Math.min(PAGE_BYTES, this.sizeBytes - start));
      const old = this.pages.get(page) ?? ofBase.get(page);
      if (old !== undefined) {
        fresh.set(old);
      }
      const from = Math.max(start, offsetBytes);
      const to = Math.min(start + fresh.length, end);
      fresh.set(bytes.subarray(from - offsetBytes, to - offsetBytes), from - start);
      this.pages.set(page, fresh);
    }
  }

  /** Indexes of the blocks that were written to, in order. Some may hold again what the base holds. */
  dirtyBlocks(): number[] {
    return [...this.dirty].sort((a, b) => a - b);
  }

  /**
   * The blocks that differ from the base, in order. Each block of the base is read at most once, and not for one that
   * was written from end to end, which counts as different unless the base's is in memory.
   */
  async *changedBlocks(): AsyncIterable<ChangedBlock> {
    const indexes = this.dirtyBlocks();
    const fetched: Promise<Uint8Array | undefined>[] = [];
    for (const [position, index] of indexes.entries()) {
      while (fetched.length < indexes.length && fetched.length < position + PARALLEL_READS) {
        const next = this.blockToCompare(indexes[fetched.length] ?? 0);
        // The consumer may stop early: a later failure must then not surface as an unhandled rejection.
        next.catch(() => undefined);
        fetched.push(next);
      }
      const before = await fetched[position];
      delete fetched[position];
      const bytes = new Uint8Array(SNAPSHOT_BLOCK_BYTES);
      const within = bytes.subarray(0, this.lengthOfBlock(index));
      if (before !== undefined) within.set(before);
      this.pages.layOver(within, index * SNAPSHOT_BLOCK_BYTES);
      if (before === undefined || Buffer.compare(within, before) !== 0) yield { index, bytes };
    }
  }

  private async blockToCompare(index: number): Promise<Uint8Array | undefined> {
    const isWritten = this.pages.covers(index * SNAPSHOT_BLOCK_BYTES, this.lengthOfBlock(index));
    return isWritten ? this.cached.get(index) : this.baseBlock(index);
  }

  private lengthOfBlock(index: number): number {
    return Math.min(SNAPSHOT_BLOCK_BYTES, this.sizeBytes - index * SNAPSHOT_BLOCK_BYTES);
  }

  private async readBase(offsetBytes: number, lengthBytes: number): Promise<Uint8Array> {
    const first = Math.floor(offsetBytes / SNAPSHOT_BLOCK_BYTES);
    const last = Math.floor((offsetBytes + Math.max(lengthBytes, 1) - 1) / SNAPSHOT_BLOCK_BYTES);
    if (first === last) {
      const block = await this.baseBlock(first);
      const start = offsetBytes - first * SNAPSHOT_BLOCK_BYTES;
      return block.subarray(start, start + lengthBytes);
    }
    const indexes = Array.from({ length: last - first + 1 }, (_, n) => first + n);
    const blocks = await Promise.all(indexes.map((index) => this.baseBlock(index)));
    const out = new Uint8Array(lengthBytes);
    for (const [n, block] of blocks.entries()) {
      const start = (first + n) * SNAPSHOT_BLOCK_BYTES;
      const from = Math.max(start, offsetBytes);
      const to = Math.min(start + block.length, offsetBytes + lengthBytes);
      out.set(block.subarray(from - start, to - start), from - offsetBytes);
    }
    return out;
  }

  /** One whole block of the base: from memory, from a read under way, or read now. */
  private async baseBlock(index: number): Promise<Uint8Array> {
    const known = this.cached.get(index);
    if (known !== undefined) {
      return known;
    }
    const underWay = this.pending.get(index);
    if (underWay !== undefined) {
      return underWay;
    }
    const start = index * SNAPSHOT_BLOCK_BYTES;
    const read = this.base.read(start, this.lengthOfBlock(index));
    this.pending.set(index, read);
    try {
      const bytes = plainBytes(await read);
      this.cached.set(index, bytes);
      return bytes;
    } finally {
      this.pending.delete(index);
    }
  }
}
