import { readU32BE } from '../../bytes/big-endian';
import type { Volume } from './volume';

/** The log counts in blocks of 512 bytes, whatever the sector size (fs/xfs/libxfs/xfs_log_format.h). */
export const LOG_BLOCK_BYTES = 512;
const RECORD_MAGIC = 0xfeedbabe;

/**
 * The log of a volume: a ring of blocks that is written round and round. Each block begins with the number of its round
 * (its cycle), so that the newest and the oldest are told apart.
 */
export class LogBlocks {
  readonly count: number;
  private readonly offsetBytes: number;

  constructor(private readonly volume: Volume) {
    const { logStart, logBlocks, blockSize } = volume.superblock;
    this.offsetBytes = volume.blockOffsetBytes(logStart, logBlocks);
    this.count = (logBlocks * blockSize) / LOG_BLOCK_BYTES;
  }

  /** Blocks from `block` on, over the end of the ring where need be. */
  read(block: number, blocks: number): Uint8Array {
    const first = this.within(block);
    const before = Math.min(blocks, this.count - first);
    const bytes = this.readStraight(first, before);
    if (before === blocks) return bytes;
    const whole = new Uint8Array(blocks * LOG_BLOCK_BYTES);
    whole.set(bytes);
    whole.set(this.readStraight(0, blocks - before), bytes.length);
    return whole;
  }

  /** The round in which a block was written; 0 if never. */
  cycle(block: number): number {
    const bytes = this.read(block, 1);
    return cycleOf(bytes, 0);
  }

  /** The place of a block in the ring. */
  within(block: number): number {
    return ((block % this.count) + this.count) % this.count;
  }

  private readStraight(first: number, blocks: number): Uint8Array {
    return this.volume.source.read(this.offsetBytes + first * LOG_BLOCK_BYTES, blocks * LOG_BLOCK_BYTES);
  }
}

/** The header of a record has its cycle elsewhere. */
export function cycleOf(bytes: Uint8Array, at: number): number {
  return isRecordHeader(bytes, at) ? readU32BE(bytes, at + 4) : readU32BE(bytes, at);
}

export function isRecordHeader(bytes: Uint8Array, at: number): boolean {
  return readU32BE(bytes, at) === RECORD_MAGIC;
}
