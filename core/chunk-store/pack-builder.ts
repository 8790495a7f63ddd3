import { zstdCompressSync } from 'node:zlib';
import type { Digest, PackedChunk, PackIndex } from './chunk-store';
import { digestOf } from './digest';

/** A content by its digest: of a file, or of a record. */
export interface Content {
  readonly digest: Digest;
  readonly bytes: Uint8Array;
}

export interface BuiltPack {
  readonly index: PackIndex;
  readonly bytes: Uint8Array;
}

/** A pack is fetched with one GET and held in memory whole. */
export const PACK_BYTES = 64 * 1024 * 1024;

/**
 * Gathers contents into packs, each content once, compressed by itself (zstd) so that it can be read alone. A pack is
 * at most `packBytes` long, unless one content alone is longer.
 */
export class PackBuilder {
  private readonly known = new Set<Digest>();
  private pieces: Buffer[] = [];
  private chunks: PackedChunk[] = [];
  private length = 0;

  constructor(private readonly packBytes = PACK_BYTES) {}

  /** Gives the pack that is full, when this content does not fit it any more. */
  add({ digest, bytes }: Content): BuiltPack | undefined {
    if (this.known.has(digest)) return undefined;
    this.known.add(digest);
    const stored = zstdCompressSync(bytes);
    const full = this.length > 0 && this.length + stored.length > this.packBytes ? this.finish() : undefined;
    this.chunks.push({
      digest,
      sizeBytes: bytes.length,
      offsetBytes: this.length,
      storedBytes: stored.length,
    });
    this.pieces.push(stored);
    this.length += stored.length;
    return full;
  }

  /** The pack begun last; undefined when it would be empty. */
  finish(): BuiltPack | undefined {
    if (this.chunks.length === 0) return undefined;
    const bytes = Buffer.concat(this.pieces);
    const pack = { index: { digest: digestOf(bytes), sizeBytes: bytes.length, chunks: this.chunks }, bytes };
    this.pieces = [];
    this.chunks = [];
    this.length = 0;
    return pack;
  }
}
