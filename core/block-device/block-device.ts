import type { BlockMemory } from './block-memory';

/** Bytes of a disk, a partition or a snapshot, read at any offset. Implementations answer with exactly `lengthBytes` or throw. */
export interface BlockReader {
  readonly sizeBytes: number;
  /** Where its blocks are kept; who keeps blocks of it besides keeps them there as well. */
  readonly memory?: BlockMemory | undefined;
  /** The answer may be shared with a cache: it must not be changed by the caller. */
  read(offsetBytes: number, lengthBytes: number): Promise<Uint8Array>;
}

/** A block reader that can also be written. What is written is what the next read returns. */
export interface BlockDevice extends BlockReader {
  /** The bytes may be kept without a copy: the caller must not change them afterwards. */
  write(offsetBytes: number, bytes: Uint8Array): Promise<void>;
  /** Writes all of the pieces or, when it throws, none. A device that cannot promise that has no such method. */
  writeAll?(pieces: readonly Piece[]): Promise<void>;
}

/** Bytes and where they go. */
export interface Piece {
  readonly offsetBytes: number;
  readonly bytes: Uint8Array;
}

/** Writes all of the pieces: at once where the device can, else one after the other. */
export async function writePieces(device: BlockDevice, pieces: readonly Piece[]): Promise<void> {
  if (device.writeAll !== undefined) return device.writeAll(pieces);
  for (const { offsetBytes, bytes } of pieces) await device.write(offsetBytes, bytes);
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
