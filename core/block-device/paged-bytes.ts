/**
 * Changed bytes by page. A page is never changed once it was handed out: a change puts a new page in its place, so that
 * every view ever returned stays what it was.
 */
export class PagedBytes {
  private readonly pages = new Map<number, Uint8Array>();

  constructor(readonly pageBytes: number) {}

  get size(): number {
    return this.pages.size;
  }

  get(page: number): Uint8Array | undefined {
    return this.pages.get(page);
  }

  /** Takes the page over: the caller must not change it afterwards. */
  set(page: number, bytes: Uint8Array): void {
    this.pages.set(page, bytes);
  }

  entries(): IterableIterator<[number, Uint8Array]> {
    return this.pages.entries();
  }

  firstPageOf(offsetBytes: number): number {
    return Math.floor(offsetBytes / this.pageBytes);
  }

  lastPageOf(offsetBytes: number, lengthBytes: number): number {
    return Math.floor((offsetBytes + Math.max(lengthBytes, 1) - 1) / this.pageBytes);
  }

  /** True when every byte of the range is in a page that is held here. */
  covers(offsetBytes: number, lengthBytes: number): boolean {
    const last = this.lastPageOf(offsetBytes, lengthBytes);
    for (let page = this.firstPageOf(offsetBytes); page <= last; page += 1) {
      if (!this.pages.has(page)) {
        return false;
      }
    }
    return true;
  }

  /** True when some byte of the range is in a page that is held here. */
  touches(offsetBytes: number, lengthBytes: number): boolean {
    if (this.pages.size === 0) {
      return false;
    }
    const last = this.lastPageOf(offsetBytes, lengthBytes);
    for (let page = this.firstPageOf(offsetBytes); page <= last; page += 1) {
      if (this.pages.has(page)) {
        return true;
      }
    }
    return false;
  }

  /**
   * The bytes of a range whose pages are views of one buffer, in order, as what was written together is: without a copy.
   * @returns undefined when they are not, or not all held here
   */
  inPlace(offsetBytes: number, lengthBytes: number): Uint8Array | undefined {
    const first = this.firstPageOf(offsetBytes);
    const start = this.pages.get(first);
    if (start === undefined) return undefined;
    const last = this.lastPageOf(offsetBytes, lengthBytes);
    let end = start.byteOffset + start.length;
    for (let page = first + 1; page <= last; page += 1) {
      const bytes = this.pages.get(page);
      if (bytes?.buffer !== start.buffer || bytes.byteOffset !== end) return undefined;
      end += bytes.length;
    }
    const from = start.byteOffset + (offsetBytes - first * this.pageBytes);
    return from + lengthBytes <= end ? new Uint8Array(start.buffer, from, lengthBytes) : undefined;
  }

  /** Lays the pages held here over `target`, which holds the bytes from `offsetBytes` on. */
  layOver(target: Uint8Array, offsetBytes: number): void {
    const end = offsetBytes + target.length;
    const last = this.lastPageOf(offsetBytes, target.length);
    for (let page = this.firstPageOf(offsetBytes); page <= last; page += 1) {
      const bytes = this.pages.get(page);
      if (bytes !== undefined) {
        const pageStart = page * this.pageBytes;
        const from = Math.max(pageStart, offsetBytes);
        const to = Math.min(pageStart + bytes.length, end);
        target.set(bytes.subarray(from - pageStart, to - pageStart), from - offsetBytes);
      }
    }
  }
}

/** A Buffer as the plain bytes it holds, without a copy: `slice` of a Buffer does not copy, that of an array does. */
export function plainBytes(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
