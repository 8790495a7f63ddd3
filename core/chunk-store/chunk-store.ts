/** `sha256:` and 64 hexadecimal digits. */
export type Digest = `sha256:${string}`;

/**
 * One immutable object that holds the contents of many files, so that an apply costs a few GETs and not one a file.
 * `chunks` says where each content lies: byte range within the pack, compressed by itself.
 */
export interface PackIndex {
  /** Digest of the pack's own bytes; its name in the store is derived from it. */
  readonly digest: Digest;
  readonly sizeBytes: number;
  readonly chunks: readonly PackedChunk[];
}

export interface PackedChunk {
  readonly digest: Digest;
  /** Of the content itself. */
  readonly sizeBytes: number;
  readonly offsetBytes: number;
  readonly storedBytes: number;
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
