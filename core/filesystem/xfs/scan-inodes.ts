import type { ByteRange } from '../../block-device/block-device';
import type { FaultingCache } from '../../block-device/faulting-cache';
import { readInBatches } from '../../block-device/read-in-batches';
import { ImageElvesError } from '../../errors';
import { typeOfMode } from '../file-mode';
import { emptyFacts, type TreeTable } from '../scan/tree-table';
import { type Fork, type Inode, parseInode, verifyInode } from './inode';
import { readFacts } from './inode-facts';
import { type InodeChunk, inodeChunks, INODES_PER_CHUNK, isInUse } from './inode-tree';
import type { Volume } from './volume';

/** Inodes of a chunk that follow each other on the disk. */
interface ChunkPiece extends ByteRange {
  readonly chunk: InodeChunk;
  readonly firstSlot: number;
}

/** Puts every inode in use into the table. @returns the directories among them */
export async function scanInodes(
  cache: FaultingCache,
  volume: Volume,
  table: TreeTable,
): Promise<readonly Inode[]> {
  const directories: Inode[] = [];
  const facts = emptyFacts();
  const { superblock } = volume;

  const take = (bytes: Uint8Array, number: number): void => {
    try {
      verifyInode(bytes, superblock, number);
      readFacts(bytes, facts);
      const type = typeOfMode(facts.mode, number);
      table.put(number, facts);
      if (type === 'directory') directories.push(withOwnBytes(parseInode(bytes, superblock, number)));
    } catch (error) {
      if (!(error instanceof ImageElvesError)) throw error;
      table.putDamaged(number, error);
    }
  };

  const pieces = await cache.run(() => chunkPieces(volume, cache.blockBytes));
  await readInBatches(cache, pieces, (batch) => {
    for (const [{ chunk, firstSlot }, bytes] of batch) {
      const first = volume.inodeNumber(chunk.group, chunk.index);
      for (let at = 0, slot = firstSlot; at < bytes.length; at += superblock.inodeSize, slot++) {
        if (isInUse(chunk, slot)) take(bytes.subarray(at, at + superblock.inodeSize), first + slot);
      }
    }
  });
  return directories;
}

/** The parts of all chunks that are on the disk, in its order, each piece within one block of the cache. */
function chunkPieces(volume: Volume, cacheBlockBytes: number): ChunkPiece[] {
  const { inodeSize } = volume.superblock;
  const pieces: ChunkPiece[] = [];
  for (const chunk of inodeChunks(volume)) {
    const first = volume.inodeNumber(chunk.group, chunk.index);
    for (const [from, to] of presentSlots(chunk)) {
      const { offsetBytes } = volume.inodeRange(first + from);
      const end = volume.inodeRange(first + to - 1).offsetBytes + inodeSize;
      for (let at = offsetBytes; at < end;) {
        const lengthBytes = Math.min(cacheBlockBytes - (at % cacheBlockBytes), end - at);
        pieces.push({
          chunk,
          firstSlot: from + (at - offsetBytes) / inodeSize,
          offsetBytes: at,
          lengthBytes,
        });
        at += lengthBytes;
      }
    }
  }
  return pieces;
}

/** Runs of slots that have a place on the disk. */
function presentSlots({ holes }: InodeChunk): [from: number, to: number][] {
  if (holes === 0) return [[0, INODES_PER_CHUNK]];
  const runs: [number, number][] = [];
  for (let bit = 0; bit < 16; bit++) {
    if ((holes >>> bit) & 1) continue;
    const last = runs.at(-1);
    if (last?.[1] === bit * 4) last[1] += 4;
    else runs.push([bit * 4, bit * 4 + 4]);
  }
  return runs;
}

/** A block of the cache would stay in memory as long as a view of it. */
function withOwnBytes(inode: Inode): Inode {
  const data: Fork = { ...inode.data, bytes: inode.data.bytes.slice() };
  return { ...inode, data, attributes: undefined };
}
