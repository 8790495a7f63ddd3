import type { ByteRange } from '../../block-device/block-device';
import type { FaultingCache } from '../../block-device/faulting-cache';
import { CorruptFilesystemError } from '../errors';
import type { Extent } from './extent';
import type { JournalSuperblock } from './journal';

/** What is fetched ahead while a log is read from its start on. */
const READ_AHEAD_BYTES = 2 * 1024 * 1024;

/** The blocks of the journal file, and the ring that the log runs around in. The file need not be contiguous. */
export class JournalLog {
  private aheadOf = -1;

  constructor(
    private readonly cache: FaultingCache,
    private readonly extents: readonly Extent[],
    private readonly journal: JournalSuperblock,
  ) {}

  get ringBlocks(): number {
    return this.ringEnd - this.journal.first;
  }

  /** The block after `block`, back at the first one behind the end. */
  next(block: number): number {
    return block + 1 >= this.ringEnd ? this.journal.first : block + 1;
  }

  /** First of the blocks for fast commits; undefined when there are none. */
  get fastCommitStart(): number | undefined {
    // jbd2 leaves one block between the ring and the fast-commit area unused.
    return this.journal.fastCommitBlocks > 1 ? this.ringEnd + 1 : undefined;
  }

  async read(block: number): Promise<Uint8Array> {
    const range = this.locate(block);
    const window = Math.floor((block * this.journal.blockSize) / READ_AHEAD_BYTES);
    if (window !== this.aheadOf) {
      this.aheadOf = window;
      await this.cache.prefetch(this.windowRanges(block));
    }
    return this.cache.run(() => this.cache.read(range.offsetBytes, range.lengthBytes));
  }

  private get ringEnd(): number {
    return this.journal.blocks - this.journal.fastCommitBlocks;
  }

  private windowRanges(from: number): ByteRange[] {
    const perWindow = READ_AHEAD_BYTES / this.journal.blockSize;
    const end = Math.min((Math.floor(from / perWindow) + 1) * perWindow, this.journal.blocks);
    const ranges: ByteRange[] = [];
    for (let block = from; block < end; block++) ranges.push(this.locate(block));
    return ranges;
  }

  private locate(block: number): ByteRange {
    const { blockSize } = this.journal;
    const run = this.extents.find(
      ({ logicalBlock, blocks }) => logicalBlock <= block && block < logicalBlock + blocks,
    );
    if (!run) throw new CorruptFilesystemError('journal with a hole', { block });
    const offsetBytes = (run.physicalBlock + block - run.logicalBlock) * blockSize;
    return { offsetBytes, lengthBytes: blockSize };
  }
}
