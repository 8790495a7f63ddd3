import type { Digest } from '../chunk-store/chunk-store';

/** Of what an update put: the security updates of a month have 50 to 200 MB. */
const MOST_BYTES = 256 * 1024 * 1024;

/**
 * New contents that were read to be compared, kept until they are stored, so that their blocks are read once. What does
 * not fit is read again.
 */
export class KeptContents {
  private readonly contents = new Map<Digest, Uint8Array>();
  private room: number;

  constructor(mostBytes = MOST_BYTES) {
    this.room = mostBytes;
  }

  get(digest: Digest): Uint8Array | undefined {
    return this.contents.get(digest);
  }

  keep(digest: Digest, bytes: Uint8Array): void {
    if (this.contents.has(digest) || bytes.length > this.room) return;
    this.room -= bytes.length;
    // A copy: the bytes may be a view of a block that nothing else needs any more.
    this.contents.set(digest, new Uint8Array(bytes));
  }
}
