/** `sha256:` and 64 hexadecimal digits. */
export type Digest = `sha256:${string}`;

/**
 * One immutable object that holds the contents of many files, so that an apply costs a few GETs and not one a file.
 * `frames` says where they lie.
 */
export interface PackIndex {
  /** Digest of the pack's own bytes; its name in the store is derived from it. */
  readonly digest: Digest;
  readonly sizeBytes: number;
  readonly frames: readonly PackFrame[];
}

/**
 * Contents compressed together (one frame of RFC 8878): most files are small, and alone each would cost a call and
 * compress badly.
 */
export interface PackFrame {
  readonly offsetBytes: number;
  readonly storedBytes: number;
  /** What it unpacks to, one after the other. */
  readonly chunks: readonly PackedChunk[];
}

/** One content. */
export interface PackedChunk {
  readonly digest: Digest;
  readonly sizeBytes: number;
}

/** Reads packs. Authority in tiers: reader, writer, pruner (also the IAM grants). */
export interface PackReader {
  /** @throws PackMissingError, PackInvalidError (the bytes do not have the digest of their name) */
  getPack(digest: Digest): Promise<Uint8Array>;
}

/** Writes are conditional: a pack that exists is left as it is. */
export interface PackWriter extends PackReader {
  putPack(digest: Digest, bytes: Uint8Array): Promise<void>;
}
