import { zstdDecompressSync } from 'node:zlib';
import { LRUCache } from 'lru-cache';
import type { Digest, PackedChunk, PackIndex, PackReader } from './chunk-store';
import { ContentInvalidError, ContentMissingError, PackInvalidError } from './chunk-store-errors';
import { digestOf } from './digest';

/**
 * The contents that a manifest's packs hold, by digest. Packs are fetched when first asked for and the last few are kept;
 * a manifest names its contents in the order of its packs, so each pack is fetched once.
 */
export class PackedContents {
  private readonly places = new Map<Digest, { pack: PackIndex; chunk: PackedChunk }>();
  private readonly fetched: LRUCache<Digest, Promise<Uint8Array>>;

  constructor(
    private readonly packs: PackReader,
    index: readonly PackIndex[],
    options: { packsInMemory?: number } = {},
  ) {
    for (const pack of index) for (const chunk of pack.chunks) this.places.set(chunk.digest, { pack, chunk });
    this.fetched = new LRUCache({ max: options.packsInMemory ?? 3 });
  }

  sizeOf(digest: Digest): number | undefined {
    return this.places.get(digest)?.chunk.sizeBytes;
  }

  /** @throws ContentMissingError, ContentInvalidError, PackInvalidError, PackMissingError */
  async get(digest: Digest): Promise<Uint8Array> {
    const place = this.places.get(digest);
    if (place === undefined) throw new ContentMissingError(digest);
    const { pack, chunk } = place;
    const bytes = await this.pack(pack);
    return unpacked(
      bytes.subarray(chunk.offsetBytes, chunk.offsetBytes + chunk.storedBytes),
      chunk,
      pack.digest,
    );
  }

  private pack(pack: PackIndex): Promise<Uint8Array> {
    const known = this.fetched.get(pack.digest);
    if (known !== undefined) return known;
    const fetching = this.fetch(pack);
    this.fetched.set(pack.digest, fetching);
    // A failed fetch is not remembered; the caller of get() sees the error itself.
    fetching.catch(() => this.fetched.delete(pack.digest));
    return fetching;
  }

  private async fetch(pack: PackIndex): Promise<Uint8Array> {
    const bytes = await this.packs.getPack(pack.digest);
    if (bytes.length !== pack.sizeBytes) {
      throw new PackInvalidError(
        pack.digest,
        `it has ${bytes.length} bytes, its index says ${pack.sizeBytes}`,
      );
    }
    return bytes;
  }
}

function unpacked(stored: Uint8Array, chunk: PackedChunk, pack: Digest): Uint8Array {
  if (stored.length !== chunk.storedBytes) {
    throw new ContentInvalidError(chunk.digest, pack, 'its place is outside the pack');
  }
  let bytes: Uint8Array;
  try {
    // The limit keeps a hostile pack from unfolding into all memory; zlib wants at least 1.
    bytes = zstdDecompressSync(stored, { maxOutputLength: Math.max(1, chunk.sizeBytes) });
  } catch (cause) {
    throw new ContentInvalidError(chunk.digest, pack, 'it does not unpack to its size', { cause });
  }
  if (bytes.length !== chunk.sizeBytes) {
    throw new ContentInvalidError(chunk.digest, pack, `it has ${bytes.length} bytes, not ${chunk.sizeBytes}`);
  }
  const found = digestOf(bytes);
  if (found !== chunk.digest) throw new ContentInvalidError(chunk.digest, pack, `its digest is ${found}`);
  return bytes;
}
