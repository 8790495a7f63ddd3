import {
  type BlockDevice,
  type BlockReader,
  type Piece,
  writePieces,
} from '../core/block-device/block-device';
import { assertWithin } from '../core/block-device/device-errors';
import { PagedBytes, plainBytes } from '../core/block-device/paged-bytes';
import { KernelEngineError } from './errors';

const PAGE_BYTES = 4096;
/** Pages that lie side by side are written as one, up to this. */
const MERGE_PAGES = 256;

/** What may still be written, to all devices of a machine together. */
export interface WriteBudget {
  leftBytes: number;
}

/** Takes what the emulated machine writes, until all of it has succeeded. The device below is only read. */
export class ScratchDevice implements BlockDevice {
  readonly sizeBytes: number;
  private readonly pages = new PagedBytes(PAGE_BYTES);

  constructor(
    private readonly device: BlockReader,
    private readonly budget: WriteBudget,
  ) {
    this.sizeBytes = device.sizeBytes;
  }

  async read(offsetBytes: number, lengthBytes: number): Promise<Uint8Array> {
    assertWithin(offsetBytes, lengthBytes, this.sizeBytes);
    if (!this.pages.touches(offsetBytes, lengthBytes)) return this.device.read(offsetBytes, lengthBytes);
    const out = this.pages.covers(offsetBytes, lengthBytes)
      ? new Uint8Array(lengthBytes)
      : new Uint8Array(await this.device.read(offsetBytes, lengthBytes));
    this.pages.layOver(out, offsetBytes);
    return out;
  }

  async write(offsetBytes: number, bytes: Uint8Array): Promise<void> {
    assertWithin(offsetBytes, bytes.length, this.sizeBytes);
    const end = offsetBytes + bytes.length;
    // Pages of which only a part is written; all of them are there before the first one changes.
    const below = new Map<number, Uint8Array>();
    for (const page of new Set([
      this.pages.firstPageOf(offsetBytes),
      this.pages.lastPageOf(offsetBytes, bytes.length),
    ])) {
      const start = page * PAGE_BYTES;
      const stop = Math.min(start + PAGE_BYTES, this.sizeBytes);
      if ((start < offsetBytes || stop > end) && this.pages.get(page) === undefined) {
        below.set(page, await this.device.read(start, stop - start));
      }
    }
    const last = this.pages.lastPageOf(offsetBytes, bytes.length);
    for (let page = this.pages.firstPageOf(offsetBytes); bytes.length > 0 && page <= last; page += 1) {
      const start = page * PAGE_BYTES;
      const fresh = new Uint8Array(Math.min(PAGE_BYTES, this.sizeBytes - start));
      const held = this.pages.get(page);
      if (held === undefined) this.take(fresh.length);
      const old = held ?? below.get(page);
      if (old !== undefined) fresh.set(old);
      const from = Math.max(start, offsetBytes);
      const to = Math.min(start + fresh.length, end);
      fresh.set(bytes.subarray(from - offsetBytes, to - offsetBytes), from - start);
      this.pages.set(page, fresh);
    }
  }

  private take(lengthBytes: number): void {
    this.budget.leftBytes -= lengthBytes;
    if (this.budget.leftBytes < 0) {
      throw new KernelEngineError('it writes more to its disks than memory is given for');
    }
  }

  /** Writes what has changed into the device below. Pages that were written again as they were are left out. */
  async mergeInto(device: BlockDevice): Promise<void> {
    const changed: number[] = [];
    for (const [page, bytes] of this.pages.entries()) {
      const before = await this.device.read(page * PAGE_BYTES, bytes.length);
      if (Buffer.compare(before, bytes) !== 0) changed.push(page);
    }
    changed.sort((a, b) => a - b);
    const pieces: Piece[] = [];
    for (let first = 0; first < changed.length;) {
      let next = first + 1;
      while (next - first < MERGE_PAGES && changed[next] === changed[next - 1]! + 1) next += 1;
      const run = changed.slice(first, next).map((page) => this.pages.get(page)!);
      const bytes = run.length === 1 ? run[0]! : plainBytes(Buffer.concat(run));
      pieces.push({ offsetBytes: changed[first]! * PAGE_BYTES, bytes });
      first = next;
    }
    await writePieces(device, pieces);
  }
}
