import type { ByteRange } from '../../block-device/block-device';
import { CorruptFilesystemError } from '../errors';
import {
  DIRECTORY_BLOCK_STAMP,
  DIRECTORY_DATA_BYTES,
  type TakeEntry,
  takeBlock,
  takeShortform,
} from './directory';
import type { Extent } from './extent';
import { forkExtents } from './fork-extents';
import { ForkFormat, type Inode } from './inode';
import type { Volume } from './volume';

/** Ten million entries and more. What claims to be larger only wants memory. */
const MAX_DIRECTORY_BYTES = 1024 * 1024 * 1024;

/** One block of a directory: mostly in one piece, but it may be several filesystem blocks and so lie apart. */
export interface DirectoryBlock {
  readonly pieces: readonly ByteRange[];
}

/**
 * The blocks of a directory that hold entries, not its indexes. A block that became empty may be a hole.
 * @throws CorruptFilesystemError
 */
export function directoryBlocks(
  volume: Volume,
  number: number,
  extents: readonly Extent[],
): DirectoryBlock[] {
  const { blockSize, directoryBlockSize } = volume.superblock;
  const unit = directoryBlockSize / blockSize;
  const end = DIRECTORY_DATA_BYTES / blockSize;
  const blocks: DirectoryBlock[] = [];
  let pieces: ByteRange[] = [];
  /** Filesystem blocks of the directory block that `pieces` are of. */
  let filled = 0;
  let next = 0;
  for (const extent of extents) {
    if (extent.fileBlock >= end) break;
    if (
      extent.unwritten ||
      extent.fileBlock + extent.blocks > end ||
      (filled > 0 && extent.fileBlock !== next)
    ) {
      throw new CorruptFilesystemError('block of a directory with a hole', {
        inode: number,
        fileBlock: next,
      });
    }
    if (filled === 0 && extent.fileBlock % unit !== 0) {
      throw new CorruptFilesystemError('block of a directory at half', { inode: number, fileBlock: next });
    }
    next = extent.fileBlock + extent.blocks;
    for (let taken = 0; taken < extent.blocks;) {
      const count = Math.min(unit - filled, extent.blocks - taken);
      pieces.push({ offsetBytes: extent.offsetBytes + taken * blockSize, lengthBytes: count * blockSize });
      filled += count;
      taken += count;
      if (filled < unit) continue;
      blocks.push({ pieces });
      pieces = [];
      filled = 0;
    }
    if (blocks.length * directoryBlockSize > MAX_DIRECTORY_BYTES) {
      throw new CorruptFilesystemError('directory larger than any', { inode: number });
    }
  }
  if (filled > 0 || blocks.length === 0) {
    throw new CorruptFilesystemError('directory without blocks', { inode: number, filled });
  }
  return blocks;
}

/** The bytes of one block of a directory, verified. @throws CorruptFilesystemError */
export function directoryBlock(volume: Volume, number: number, { pieces }: DirectoryBlock): Uint8Array {
  const { source, superblock } = volume;
  const [first] = pieces;
  const parts = pieces.map((piece) => source.read(piece.offsetBytes, piece.lengthBytes));
  const block = parts.length === 1 ? parts[0]! : joined(superblock.directoryBlockSize, parts);
  volume.verify(block, { offsetBytes: first!.offsetBytes, owner: number }, DIRECTORY_BLOCK_STAMP);
  return block;
}

function joined(lengthBytes: number, parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(lengthBytes);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/**
 * Every entry of a directory of any form. The blocks are fetched together.
 * @throws CorruptFilesystemError
 */
export function takeDirectory(volume: Volume, { number, data, sizeBytes }: Inode, take: TakeEntry): void {
  const owner = { superblock: volume.superblock, number };
  if (data.format === ForkFormat.LOCAL) {
    takeShortform(data.bytes, sizeBytes, owner, take);
    return;
  }
  const blocks = directoryBlocks(volume, number, forkExtents(volume, number, data));
  volume.need(blocks.flatMap(({ pieces }) => pieces));
  for (const block of blocks) takeBlock(directoryBlock(volume, number, block), owner, take);
}
