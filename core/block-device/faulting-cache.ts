import {
  type BlockDevice,
  type BlockReader,
  type ByteRange,
  type SyncReader,
  writePieces,
} from './block-device';
import { SNAPSHOT_BLOCK_BYTES } from './block-device';
import { BlockMemory, type BlockTable } from './block-memory';
import { BlockFault } from './block-fault';
import { isBlockDevice } from './block-window';
import { assertWithin, ReadOnlyDeviceError } from './device-errors';
import { PagedBytes, plainBytes } from './paged-bytes';
import { Transaction } from './transaction';

export interface FaultingCacheOptions {
  /**
   * For clean blocks, instead of the memory of the device. While they fit, no block is read twice. Changed pages are kept
   * besides, all of them.
   */
  readonly cacheBytes?: number | undefined;
  /** Unit of fetching. */
  readonly blockBytes?: number;
  /** Unit of change; no block of the filesystem may straddle two pages. */
  readonly pageBytes?: number;
  /** Blocks fetched at the same time. */
  readonly parallelReads?: number;
}

/**
 * Lets filesystem code be synchronous. `read` answers from memory or throws BlockFault; `run` and `transaction` drive an
 * operation: they fetch what it faulted on and run it again until it returns. An operation must therefore have no
 * effects but its transaction's writes and its result.
 */
export class FaultingCache implements SyncReader {
  readonly sizeBytes: number;
  readonly blockBytes: number;
  readonly pageBytes: number;
  readonly cacheBytes: number;
  private readonly clean: BlockTable;
  private readonly changed: PagedBytes;
  private readonly pending = new Map<number, Promise<Uint8Array>>();
  private readonly parallelReads: number;
  /** Blocks that the operation now running has faulted on: they stay until it is done, however small the cache. */
  private pinned: ReadonlyMap<number, Uint8Array> | undefined;
  private hinted = new Set<number>();
  private lastWrite: Promise<void> = Promise.resolve();
  /** Why a write did not reach the device: what is in memory is then no longer what is on it. */
  private failure: { readonly cause: unknown } | undefined;

  constructor(
    private readonly device: BlockReader | BlockDevice,
    {
      cacheBytes,
      blockBytes = SNAPSHOT_BLOCK_BYTES,
      pageBytes = 4096,
      parallelReads = 32,
    }: FaultingCacheOptions = {},
  ) {
    this.sizeBytes = device.sizeBytes;
    this.blockBytes = blockBytes;
    this.pageBytes = pageBytes;
    this.parallelReads = parallelReads;
    const memory =
      cacheBytes === undefined ? (device.memory ?? new BlockMemory()) : new BlockMemory(cacheBytes);
    this.cacheBytes = memory.maxBytes;
    this.clean = memory.table();
    this.changed = new PagedBytes(pageBytes);
  }

  /**
   * @throws BlockFault when something of it is not in memory.
   * @throws DeviceRangeError when the range is not within the device.
   */
  read(offsetBytes: number, lengthBytes: number): Uint8Array {
    assertWithin(offsetBytes, lengthBytes, this.sizeBytes);
    if (this.changed.touches(offsetBytes, lengthBytes)) {
      return this.readChanged(offsetBytes, lengthBytes);
    }
    return this.readClean(offsetBytes, lengthBytes);
  }

  /** Throws one BlockFault for everything of these ranges that is not in memory: one fetch in the place of many. */
  need(ranges: Iterable<ByteRange>): void {
    const missing = this.missing(ranges);
    if (missing.length > 0) {
      throw new BlockFault(missing);
    }
  }

  /** Ranges that the operation will likely read soon: they are fetched along with the next fault, if there is one. */
  hint(ranges: Iterable<ByteRange>): void {
    for (const index of this.missing(ranges)) {
      this.hinted.add(index);
    }
  }

  /** Fetches the ranges now, in parallel. */
  async prefetch(ranges: Iterable<ByteRange>): Promise<void> {
    await this.fetchAll(this.missing(ranges));
  }

  /** Runs a read-only operation until it returns. What it throws, other than BlockFault, is thrown on. */
  async run<T>(operation: () => T): Promise<T> {
    if (this.failure !== undefined) throw this.failure.cause;
    const pinned = new Map<number, Uint8Array>();
    // Each turn brings at least one block that no turn before had, so there are no more turns than blocks.
    const turns = Math.ceil(this.sizeBytes / this.blockBytes) + 1;
    for (let turn = 0; turn <= turns; turn += 1) {
      this.pinned = pinned;
      this.hinted = new Set();
      let fault: BlockFault;
      try {
        return operation();
      } catch (error) {
        if (!(error instanceof BlockFault)) {
          throw error;
        }
        fault = error;
      } finally {
        this.pinned = undefined;
      }
      const hinted = this.hinted;
      const [wanted] = await Promise.all([
        this.fetchAll(fault.blocks),
        this.fetchAll([...hinted].filter((index) => !fault.blocks.includes(index))),
      ]);
      for (const [index, bytes] of wanted) {
        pinned.set(index, bytes);
      }
    }
    throw new Error('an operation faulted on blocks that it already had');
  }

  /**
   * Runs an operation that writes. Its writes reach the cache and the device together when it returns, and are dropped
   * when it throws or faults. When the device itself fails, this and all that comes later is refused with its error.
   * @throws ReadOnlyDeviceError when the device is a mere reader.
   */
  async transaction<T>(operation: (transaction: Transaction) => T): Promise<T> {
    const device = this.device;
    if (!isBlockDevice(device)) {
      throw new ReadOnlyDeviceError();
    }
    const { result, written } = await this.run(() => {
      const transaction = new Transaction(this, this.pageBytes);
      const result = operation(transaction);
      const written = transaction.finish();
      // Within the synchronous turn: no other operation can have come between its reads and these writes.
      for (const [page, bytes] of written) {
        this.changed.set(page, bytes);
      }
      return { result, written };
    });
    const pieces = joinPages(written).map(([page, bytes]) => ({ offsetBytes: page * this.pageBytes, bytes }));
    this.lastWrite = this.lastWrite.then(() => writePieces(device, pieces));
    try {
      await this.lastWrite;
    } catch (cause) {
      this.failure ??= { cause };
      throw cause;
    }
    return result;
  }

  private readChanged(offsetBytes: number, lengthBytes: number): Uint8Array {
    const inPlace = this.changed.inPlace(offsetBytes, lengthBytes);
    if (inPlace !== undefined) return inPlace;
    const out = this.changed.covers(offsetBytes, lengthBytes)
      ? new Uint8Array(lengthBytes)
      : new Uint8Array(this.readClean(offsetBytes, lengthBytes));
    this.changed.layOver(out, offsetBytes);
    return out;
  }

  private readClean(offsetBytes: number, lengthBytes: number): Uint8Array {
    const first = Math.floor(offsetBytes / this.blockBytes);
    const last = Math.floor((offsetBytes + Math.max(lengthBytes, 1) - 1) / this.blockBytes);
    if (first === last && lengthBytes > 0) {
      const block = this.resident(first);
      if (block === undefined) {
        throw new BlockFault([first]);
      }
      const start = offsetBytes - first * this.blockBytes;
      return block.subarray(start, start + lengthBytes);
    }
    this.need([{ offsetBytes, lengthBytes }]);
    const out = new Uint8Array(lengthBytes);
    for (let index = first; index <= last && lengthBytes > 0; index += 1) {
      const start = index * this.blockBytes;
      const block = this.resident(index);
      if (block === undefined) {
        throw new BlockFault([index]);
      }
      const from = Math.max(start, offsetBytes);
      const to = Math.min(start + block.length, offsetBytes + lengthBytes);
      out.set(block.subarray(from - start, to - start), from - offsetBytes);
    }
    return out;
  }

  private resident(index: number): Uint8Array | undefined {
    return this.clean.get(index) ?? this.pinned?.get(index);
  }

  /** Blocks of the ranges that are neither in memory nor wholly covered by changed pages. */
  private missing(ranges: Iterable<ByteRange>): number[] {
    const missing = new Set<number>();
    for (const { offsetBytes, lengthBytes } of ranges) {
      assertWithin(offsetBytes, lengthBytes, this.sizeBytes);
      const end = offsetBytes + lengthBytes;
      for (let index = Math.floor(offsetBytes / this.blockBytes); index * this.blockBytes < end; index += 1) {
        const from = Math.max(offsetBytes, index * this.blockBytes);
        const to = Math.min(end, (index + 1) * this.blockBytes);
        if (
          this.resident(index) === undefined &&
          !(this.changed.size > 0 && this.changed.covers(from, to - from))
        ) {
          missing.add(index);
        }
      }
    }
    return [...missing];
  }

  private async fetchAll(indexes: readonly number[]): Promise<Map<number, Uint8Array>> {
    const fetched = new Map<number, Uint8Array>();
    const queue = indexes.values();
    const worker = async (): Promise<void> => {
      for (const index of queue) {
        fetched.set(index, await this.fetch(index));
      }
    };
    await Promise.all(Array.from({ length: Math.min(this.parallelReads, indexes.length) }, worker));
    return fetched;
  }

  private async fetch(index: number): Promise<Uint8Array> {
    const known = this.clean.get(index);
    if (known !== undefined) {
      return known;
    }
    const underWay = this.pending.get(index);
    if (underWay !== undefined) {
      return underWay;
    }
    const start = index * this.blockBytes;
    const read = this.device.read(start, Math.min(this.blockBytes, this.sizeBytes - start));
    this.pending.set(index, read);
    try {
      const bytes = plainBytes(await read);
      this.clean.set(index, bytes);
      return bytes;
    } finally {
      this.pending.delete(index);
    }
  }
}

/** Joins pages that follow each other and are views of one buffer: one write in the place of many. */
function joinPages(pages: readonly [number, Uint8Array][]): [number, Uint8Array][] {
  const joined: { first: number; next: number; bytes: Uint8Array }[] = [];
  for (const [page, bytes] of pages) {
    const last = joined.at(-1);
    const follows =
      last?.next === page &&
      last.bytes.buffer === bytes.buffer &&
      last.bytes.byteOffset + last.bytes.length === bytes.byteOffset;
    if (follows) {
      last.bytes = new Uint8Array(bytes.buffer, last.bytes.byteOffset, last.bytes.length + bytes.length);
      last.next = page + 1;
    } else {
      joined.push({ first: page, next: page + 1, bytes });
    }
  }
  return joined.map(({ first, bytes }) => [first, bytes]);
}
