import type { ByteRange } from '../../block-device/block-device';
import type { FaultingCache } from '../../block-device/faulting-cache';
import { readInBatches } from '../../block-device/read-in-batches';
import { decodeName, encodeName } from '../../bytes/names';
import { CorruptFilesystemError } from '../errors';
import type { TreeTable } from '../scan/tree-table';
import { endOfRecords, verifyDirectoryBlock } from './directory';
import { readDirectoryEntries } from './directory-entries';
import type { DirectoryPlaces, DirectoryRun } from './directory-places';
import { forEachRecord, RECORD_HEADER_BYTES } from './directory-records';
import { fileExtents } from './file-extents';
import { isHtreeNode, verifyHtreeBlock } from './htree';
import { inodeChecksumSeed } from './inode';
import type { VolumeReader } from './volume-reader';

const SLASH = 0x2f;
const DOT = 0x2e;

interface DirectoryPiece extends ByteRange {
  readonly run: DirectoryRun;
  /** The first of the run's blocks that is in the piece. */
  readonly firstOfRun: number;
}

/** Puts the entries of all directories into the table. @throws CorruptFilesystemError */
export async function scanDirectories(
  cache: FaultingCache,
  volume: VolumeReader,
  table: TreeTable,
  places: DirectoryPlaces,
): Promise<void> {
  const pieces = directoryPieces(places.runs, volume.superblock.blockSize, cache.blockBytes);
  await readInBatches(cache, pieces, (batch) => {
    for (const [piece, bytes] of batch) takeEntries(volume, table, piece, bytes);
  });
  for (const { number, inode } of places.special) {
    const entries = await cache.run(() =>
      readDirectoryEntries(volume, { number, inode, extents: fileExtents(volume, number, inode) }),
    );
    for (const { name, inode: child } of entries.values()) {
      const bytes = encodeName(name);
      table.addEntry(table.rowOf(number)!, bytes, 0, bytes.length, child);
    }
  }
}

/** The runs in the order of the disk, each piece within one block of the cache. */
function directoryPieces(
  runs: readonly DirectoryRun[],
  blockSize: number,
  cacheBlockBytes: number,
): DirectoryPiece[] {
  const blocksAtOnce = Math.max(1, cacheBlockBytes / blockSize);
  const pieces: DirectoryPiece[] = [];
  for (const run of runs) {
    for (let done = 0; done < run.blocks;) {
      const block = run.block + done;
      const count = Math.min(blocksAtOnce - (block % blocksAtOnce), run.blocks - done);
      pieces.push({
        run,
        firstOfRun: done,
        offsetBytes: block * blockSize,
        lengthBytes: count * blockSize,
      });
      done += count;
    }
  }
  return pieces.sort((a, b) => a.offsetBytes - b.offsetBytes);
}

/** As entriesOfBlock does for one block, without an object for each entry. */
function takeEntries(
  { superblock }: VolumeReader,
  table: TreeTable,
  { run, firstOfRun, offsetBytes }: DirectoryPiece,
  bytes: Uint8Array,
): void {
  const { blockSize, hasMetadataChecksums } = superblock;
  const seed = inodeChecksumSeed(superblock, run.inode, run.generation);
  const row = table.rowOf(run.inode)!;
  for (let at = 0; at < bytes.length; at += blockSize) {
    const block = bytes.subarray(at, at + blockSize);
    const number = (offsetBytes + at) / blockSize;
    const isRoot = run.logicalBlock + firstOfRun + at / blockSize === 0;
    const isIndexBlock = run.isIndexed && (isRoot || isHtreeNode(block));
    if (hasMetadataChecksums) {
      if (isIndexBlock) verifyHtreeBlock(block, seed, isRoot, number);
      else verifyDirectoryBlock(block, seed, number);
    }
    if (!isIndexBlock) takeRecords(table, row, run.inode, block);
  }
}

function takeRecords(table: TreeTable, row: number, directory: number, block: Uint8Array): void {
  forEachRecord(block, endOfRecords(block), (offset, _recordLength, nameLength) => {
    const inode =
      (block[offset]! |
        (block[offset + 1]! << 8) |
        (block[offset + 2]! << 16) |
        (block[offset + 3]! << 24)) >>>
      0;
    if (inode === 0) return;
    const from = offset + RECORD_HEADER_BYTES;
    const isDot = block[from] === DOT && (nameLength === 1 || (nameLength === 2 && block[from + 1] === DOT));
    if (isDot) return;
    assertName(block, from, from + nameLength, directory);
    table.addEntry(row, block, from, from + nameLength, inode);
  });
}

function assertName(block: Uint8Array, from: number, to: number, directory: number): void {
  let isPossible = to > from;
  for (let at = from; at < to; at++) {
    if (block[at] === SLASH || block[at] === 0) isPossible = false;
  }
  if (isPossible) return;
  throw new CorruptFilesystemError('impossible name in a directory', {
    inode: directory,
    name: decodeName(block.subarray(from, to)),
  });
}
