/** Bytes of a disk, a partition or a snapshot, read at any offset. Implementations answer with exactly `lengthBytes` or throw. */
export interface BlockReader {
  readonly sizeBytes: number;
  read(offsetBytes: number, lengthBytes: number): Promise<Uint8Array>;
}

/** A block reader that can also be written. What is written is what the next read returns. */
export interface BlockDevice extends BlockReader {
  write(offsetBytes: number, bytes: Uint8Array): Promise<void>;
}

/** Size of one EBS snapshot block, in bytes (EBS direct APIs, "block"). The unit of cost: one Get or Put call each. */
export const SNAPSHOT_BLOCK_BYTES = 524_288;
