import { BlockFault } from '../../block-device/block-fault';
import type { FaultingCache } from '../../block-device/faulting-cache';
import { CorruptFilesystemError } from '../errors';
import { directoryBlocks } from './directory-entries';
import { fileExtents } from './file-extents';
import { InodeFlag, type Inode } from './inode';
import type { VolumeReader } from './volume-reader';

/** Directories whose blocks are looked up at the same time. */
const PARALLEL_LOOKUPS = 32;
/** Whose entries are not simply those of its blocks. */
const SPECIAL = InodeFlag.INLINE_DATA | InodeFlag.ENCRYPT;

/** Some blocks of a directory that lie together. */
export interface DirectoryRun {
  readonly inode: number;
  readonly generation: number;
  /** Whether its first block is the root of an index. */
  readonly isIndexed: boolean;
  readonly logicalBlock: number;
  readonly block: number;
  readonly blocks: number;
}

interface Directory {
  readonly number: number;
  readonly inode: Inode;
}

/** Where the blocks of all directories are. */
export class DirectoryPlaces {
  readonly runs: DirectoryRun[] = [];
  readonly special: Directory[] = [];
  private waiting: Directory[] = [];
  private blocks = 0;

  constructor(
    private readonly cache: FaultingCache,
    private readonly volume: VolumeReader,
  ) {}

  add(number: number, inode: Inode): void {
    if (inode.flags & SPECIAL) this.special.push({ number, inode });
    else this.waiting.push({ number, inode });
  }

  /** Looks up the blocks of those added: most have all they need in the inode, few an extent tree to be fetched. */
  async settle(): Promise<void> {
    const faulted: Directory[] = [];
    for (const directory of this.waiting) {
      try {
        this.place(directory);
      } catch (error) {
        if (!(error instanceof BlockFault)) throw error;
        faulted.push(directory);
      }
    }
    this.waiting = [];
    for (let done = 0; done < faulted.length; done += PARALLEL_LOOKUPS) {
      const some = faulted.slice(done, done + PARALLEL_LOOKUPS);
      await Promise.all(some.map((directory) => this.cache.run(() => this.place(directory))));
    }
  }

  private place({ number, inode }: Directory): void {
    const { volume } = this;
    const blocks = directoryBlocks(volume, { number, inode, extents: fileExtents(volume, number, inode) });
    this.blocks += blocks.length;
    if (this.blocks > volume.superblock.blocksCount) {
      throw new CorruptFilesystemError('directories have more blocks than the volume', {
        blocks: this.blocks,
      });
    }
    const { generation } = inode;
    const isIndexed = (inode.flags & InodeFlag.INDEX) !== 0;
    for (let first = 0; first < blocks.length;) {
      const block = blocks[first]!;
      let end = first + 1;
      while (end < blocks.length && blocks[end] === block + (end - first)) end++;
      this.runs.push({
        inode: number,
        generation,
        isIndexed,
        logicalBlock: first,
        block,
        blocks: end - first,
      });
      first = end;
    }
  }
}
