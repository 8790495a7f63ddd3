import type { Digest } from '../chunk-store/chunk-store';
import type { ContentSource } from '../chunk-store/content-source';

/** Contents are small that hold a machine's own values; what is larger is made again when it is asked for. */
const KEPT_BYTES = 32 * 1024 * 1024;

/** The contents of a manifest and those that were rendered for one machine. */
export class RenderedContents implements ContentSource {
  private readonly rendered = new Map<Digest, Uint8Array | (() => Promise<Uint8Array>)>();
  private room = KEPT_BYTES;

  constructor(private readonly packed: ContentSource) {}

  add(digest: Digest, bytes: Uint8Array, again: () => Promise<Uint8Array>): void {
    const fits = bytes.length <= this.room;
    if (fits) this.room -= bytes.length;
    this.rendered.set(digest, fits ? bytes : again);
  }

  async get(digest: Digest): Promise<Uint8Array> {
    const rendered = this.rendered.get(digest);
    if (rendered === undefined) return this.packed.get(digest);
    return rendered instanceof Uint8Array ? rendered : rendered();
  }
}
