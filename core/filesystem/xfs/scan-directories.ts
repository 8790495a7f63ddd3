import type { ByteRange } from '../../block-device/block-device';
import type { FaultingCache } from '../../block-device/faulting-cache';
import { readInBatches } from '../../block-device/read-in-batches';
import { CorruptFilesystemError } from '../errors';
import type { TreeTable } from '../scan/tree-table';
import { DIRECTORY_BLOCK_STAMP, type TakeEntry, takeBlock, takeShortform } from './directory';
import { directoryBlock, directoryBlocks, type DirectoryBlock } from './directory-blocks';
import { forkExtents, treeRanges } from './fork-extents';
import { ForkFormat, type Inode } from './inode';
import type { Volume } from './volume';

interface DirectoryPiece extends ByteRange {
  readonly number: number;
}

/** Directories whose trees of extents are fetched together. */
const TREES_AT_ONCE = 1000;

/** Puts the entries of all directories into the table. @throws CorruptFilesystemError */
export async function scanDirectories(
  cache: FaultingCache,
  volume: Volume,
  table: TreeTable,
  directories: readonly Inode[],
): Promise<void> {
  const { superblock } = volume;
  const taker = (number: number): TakeEntry => {
    const row = table.rowOf(number)!;
    return (bytes, from, to, inode) => table.addEntry(row, bytes, from, to, inode);
  };
  const pieces: DirectoryPiece[] = [];
  const apart: { number: number; block: DirectoryBlock }[] = [];
  let blocks = 0;
  for await (const { number, found } of blocksOfAll(cache, volume, directories, taker)) {
    blocks += found.length;
    if (blocks * superblock.directoryBlockSize > superblock.blocksCount * superblock.blockSize) {
      throw new CorruptFilesystemError('directories have more blocks than the volume', { blocks });
    }
    for (const block of found) {
      const [piece, ...more] = block.pieces;
      if (more.length === 0) pieces.push({ ...piece!, number });
      else apart.push({ number, block });
    }
  }
  pieces.sort((a, b) => a.offsetBytes - b.offsetBytes);
  await readInBatches(cache, pieces, (batch) => {
    for (const [{ number, offsetBytes }, bytes] of batch) {
      volume.verify(bytes, { offsetBytes, owner: number }, DIRECTORY_BLOCK_STAMP);
      takeBlock(bytes, { superblock, number }, taker(number));
    }
  });
  for (const { number, block } of apart) {
    const bytes = await cache.run(() => directoryBlock(volume, number, block));
    takeBlock(bytes, { superblock, number }, taker(number));
  }
}

/** Takes the entries of directories that are in their inodes, and finds the blocks of all others. */
async function* blocksOfAll(
  cache: FaultingCache,
  volume: Volume,
  directories: readonly Inode[],
  taker: (number: number) => TakeEntry,
): AsyncGenerator<{ number: number; found: DirectoryBlock[] }> {
  const { superblock } = volume;
  const trees: Inode[] = [];
  for (const directory of directories) {
    const { number, data, sizeBytes } = directory;
    if (data.format === ForkFormat.LOCAL) {
      takeShortform(data.bytes, sizeBytes, { superblock, number }, taker(number));
    } else if (data.format === ForkFormat.BTREE) {
      trees.push(directory);
    } else {
      yield { number, found: directoryBlocks(volume, number, forkExtents(volume, number, data)) };
    }
  }
  for (let at = 0; at < trees.length; at += TREES_AT_ONCE) {
    const together = trees.slice(at, at + TREES_AT_ONCE);
    await cache.prefetch(together.flatMap(({ data }) => treeRanges(volume, data)));
    for (const { number, data } of together) {
      const extents = await cache.run(() => forkExtents(volume, number, data));
      yield { number, found: directoryBlocks(volume, number, extents) };
    }
  }
}
