/** Bytes of a disk, a partition or a snapshot, read at any offset. Implementations answer with exactly `lengthBytes` or throw. */
export interface BlockReader {
  readonly sizeBytes: number;
  /** The answer may be shared with a cache: it must not be changed by the caller. */
  read(offsetBytes: number, lengthBytes: number): Promise<Uint8Array>;
}

/** A block reader that can also be written. What is written is what the next read returns. */
export interface BlockDevice extends BlockReader {
  /** The bytes may be kept without a copy: the caller must not change them afterwards. */
  write(offsetBytes: number, bytes: Uint8Array): Promise<void>;
}

/**
 * Bytes that are there at once: a FaultingCache or a transaction on it. A read of something that is not resident throws
 * BlockFault, which the cache's driver answers. The result is a stable snapshot that must not be changed by the caller.
 */
export interface SyncReader {
  readonly sizeBytes: number;
  read(offsetBytes: number, lengthBytes: number): Uint8Array;
}

/** A half-open range of bytes. */
export interface ByteRange {
  readonly offsetBytes: number;
  readonly lengthBytes: number;
}

/** Size of one EBS snapshot block, in bytes (EBS direct APIs, "block"). The unit of cost: one Get or Put call each. */
export const SNAPSHOT_BLOCK_BYTES = 524_288;
