import { type SyncReader } from './block-device';
import { assertWithin } from './device-errors';
import { PagedBytes, plainBytes } from './paged-bytes';

/**
 * The writes of one operation over what it reads. It sees its own writes; nobody else does until FaultingCache merges
 * them. Made by FaultingCache.transaction.
 */
export class Transaction implements SyncReader {
  readonly sizeBytes: number;
  private readonly pages: PagedBytes;
  /** Pages that are views of bytes which must not be changed. */
  private readonly kept = new Set<number>();
  private finished = false;

  constructor(
    private readonly below: SyncReader,
    pageBytes: number,
  ) {
    this.sizeBytes = below.sizeBytes;
    this.pages = new PagedBytes(pageBytes);
  }

  /** As the transaction has it. Not to be changed by the caller; what `edit` changes later may show through. */
  read(offsetBytes: number, lengthBytes: number): Uint8Array {
    assertWithin(offsetBytes, lengthBytes, this.sizeBytes);
    if (!this.pages.touches(offsetBytes, lengthBytes)) {
      return this.below.read(offsetBytes, lengthBytes);
    }
    const page = this.pages.firstPageOf(offsetBytes);
    if (page === this.pages.lastPageOf(offsetBytes, lengthBytes)) {
      const start = offsetBytes - page * this.pages.pageBytes;
      return (this.pages.get(page) ?? this.page(page)).subarray(start, start + lengthBytes);
    }
    const out = this.pages.covers(offsetBytes, lengthBytes)
      ? new Uint8Array(lengthBytes)
      : new Uint8Array(this.below.read(offsetBytes, lengthBytes));
    this.pages.layOver(out, offsetBytes);
    return out;
  }

  /** A whole page is written without reading what was there; for a part of one, the page must be read. */
  write(offsetBytes: number, bytes: Uint8Array): void {
    // One copy for all pages: each is then a view of it.
    this.put(offsetBytes, new Uint8Array(bytes), false);
  }

  /** As `write`, of bytes that nobody changes any more: they are kept, not copied. */
  writeKept(offsetBytes: number, bytes: Uint8Array): void {
    this.put(offsetBytes, plainBytes(bytes), true);
  }

  private put(offsetBytes: number, bytes: Uint8Array, isKept: boolean): void {
    assertWithin(offsetBytes, bytes.length, this.sizeBytes);
    this.assertOpen();
    const { pageBytes } = this.pages;
    for (let done = 0; done < bytes.length;) {
      const at = offsetBytes + done;
      const page = Math.floor(at / pageBytes);
      const within = at - page * pageBytes;
      const size = Math.min(pageBytes, this.sizeBytes - page * pageBytes);
      const length = Math.min(size - within, bytes.length - done);
      const piece = bytes.subarray(done, done + length);
      if (length === size) {
        this.pages.set(page, piece);
        if (isKept) this.kept.add(page);
        else if (this.kept.size > 0) this.kept.delete(page);
      } else {
        this.page(page).set(piece, within);
      }
      done += length;
    }
  }

  /**
   * Bytes to be changed in place; the changes are part of the transaction. The range must lie within one page.
   */
  edit(offsetBytes: number, lengthBytes: number): Uint8Array {
    assertWithin(offsetBytes, lengthBytes, this.sizeBytes);
    this.assertOpen();
    const page = this.pages.firstPageOf(offsetBytes);
    if (page !== this.pages.lastPageOf(offsetBytes, lengthBytes)) {
      throw new RangeError(`bytes at ${offsetBytes} cannot be edited: they lie in two pages`);
    }
    const start = offsetBytes - page * this.pages.pageBytes;
    return this.page(page).subarray(start, start + lengthBytes);
  }

  /** Closes the transaction. @returns its pages by number. */
  finish(): [number, Uint8Array][] {
    this.assertOpen();
    this.finished = true;
    return [...this.pages.entries()];
  }

  /** The transaction's own copy of a page. */
  private page(page: number): Uint8Array {
    const held = this.pages.get(page);
    if (held !== undefined) {
      if (this.kept.size === 0 || !this.kept.delete(page)) return held;
      // A block of one change's content, freed and used anew by a later change of the same transaction.
      const own = new Uint8Array(held);
      this.pages.set(page, own);
      return own;
    }
    const start = page * this.pages.pageBytes;
    const copy = new Uint8Array(
      this.below.read(start, Math.min(this.pages.pageBytes, this.sizeBytes - start)),
    );
    this.pages.set(page, copy);
    return copy;
  }

  private assertOpen(): void {
    if (this.finished) {
      throw new Error('the transaction is over');
    }
  }
}
