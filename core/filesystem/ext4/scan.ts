import type { ByteRange } from '../../block-device/block-device';
import type { FaultingCache } from '../../block-device/faulting-cache';
import { readU16 } from '../../bytes/little-endian';
import { CorruptFilesystemError } from '../errors';
import type { ScannedEntry, Stat } from '../filesystem';
import { directoryBlocks, entriesOfBlock, type OpenDirectory } from './directory-entries';
import { fileExtents } from './file-extents';
import { statOf } from './file-type';
import { parseInode, ROOT_INODE, S_IFDIR, S_IFMT, verifyInode, type Inode } from './inode';
import type { VolumeReader } from './volume-reader';

/** How much is fetched and worked through at a time: many blocks in flight, little memory. */
const BATCH_BYTES = 32 * 1024 * 1024;
const TABLE_PIECE_BYTES = 4 * 1024 * 1024;
/** Sixteen times what a system call takes. A hostile tree as deep as it has inodes would make paths of gigabytes. */
const MAX_PATH_LENGTH = 65_536;
const MODE_OFFSET = 0x0;
const LINKS_OFFSET = 0x1a;

/**
 * Every path of a volume, parents first. Three passes, the first two over the disk in its own order, so that each block
 * is fetched about once: the used parts of the inode tables, the blocks of all directories, then the tree in memory.
 */
export async function* scanVolume(cache: FaultingCache, volume: VolumeReader): AsyncGenerator<ScannedEntry> {
  const inodes = await scanInodeTables(cache, volume);
  const children = await scanDirectories(cache, volume, inodes.directories);
  yield* walkTree(inodes, children);
}

interface ScannedInodes {
  readonly stats: ReadonlyMap<number, Stat>;
  readonly directories: ReadonlyMap<number, Inode>;
  /** Inodes that look used but cannot be read. It matters only when a path leads there. */
  readonly damaged: ReadonlyMap<number, CorruptFilesystemError>;
}

/** Inode numbers by name, for each directory. */
type Children = ReadonlyMap<number, ReadonlyMap<string, number>>;

interface TablePiece extends ByteRange {
  readonly firstInode: number;
}

async function scanInodeTables(cache: FaultingCache, volume: VolumeReader): Promise<ScannedInodes> {
  const { superblock } = volume;
  const stats = new Map<number, Stat>();
  const directories = new Map<number, Inode>();
  const damaged = new Map<number, CorruptFilesystemError>();

  const take = (bytes: Uint8Array, number: number): void => {
    // Mode 0 was never used; no links is deleted or an orphan; what is reserved is on no path.
    if (readU16(bytes, MODE_OFFSET) === 0 || readU16(bytes, LINKS_OFFSET) === 0) return;
    if (number < superblock.firstInode && number !== ROOT_INODE) return;
    try {
      verifyInode(bytes, superblock, number);
      const inode = parseInode(bytes, superblock);
      stats.set(number, statOf(number, inode));
      if ((inode.mode & S_IFMT) === S_IFDIR) directories.set(number, inode);
    } catch (error) {
      if (!(error instanceof CorruptFilesystemError)) throw error;
      damaged.set(number, error);
    }
  };

  const pieces = await cache.run(() => tablePieces(volume));
  for (const batch of batchesOf(pieces, cache.blockBytes)) {
    await cache.run(() => {
      cache.need(batch);
      for (const { offsetBytes, lengthBytes, firstInode } of batch) {
        const table = cache.read(offsetBytes, lengthBytes);
        for (let at = 0; at < lengthBytes; at += superblock.inodeSize) {
          take(table.subarray(at, at + superblock.inodeSize), firstInode + at / superblock.inodeSize);
        }
      }
    });
  }
  return { stats, directories, damaged };
}

/** The used parts of all inode tables in the order of the disk. Tables that overlap would multiply their inodes. */
function tablePieces(volume: VolumeReader): TablePiece[] {
  const { groupCount, inodesPerGroup, inodeSize } = volume.superblock;
  const pieces: TablePiece[] = [];
  for (let group = 0; group < groupCount; group++) {
    const { offsetBytes, lengthBytes } = volume.inodeTableRange(group);
    for (let done = 0; done < lengthBytes; done += TABLE_PIECE_BYTES) {
      pieces.push({
        offsetBytes: offsetBytes + done,
        lengthBytes: Math.min(TABLE_PIECE_BYTES, lengthBytes - done),
        firstInode: group * inodesPerGroup + 1 + done / inodeSize,
      });
    }
  }
  pieces.sort((a, b) => a.offsetBytes - b.offsetBytes);
  for (const [position, piece] of pieces.entries()) {
    const next = pieces[position + 1];
    if (next && piece.offsetBytes + piece.lengthBytes > next.offsetBytes) {
      throw new CorruptFilesystemError('inode tables overlap', { offsetBytes: next.offsetBytes });
    }
  }
  return pieces;
}

interface DirectoryPiece extends ByteRange {
  readonly directory: OpenDirectory;
  readonly block: number;
  readonly logicalBlock: number;
}

async function scanDirectories(
  cache: FaultingCache,
  volume: VolumeReader,
  inodes: ReadonlyMap<number, Inode>,
): Promise<Children> {
  const { blockSize } = volume.superblock;
  const pieces: DirectoryPiece[] = [];
  for (const [number, inode] of inodes) {
    const directory = await cache.run(() => ({ number, inode, extents: fileExtents(volume, number, inode) }));
    for (const [logicalBlock, block] of directoryBlocks(volume, directory).entries()) {
      pieces.push({ directory, block, logicalBlock, offsetBytes: block * blockSize, lengthBytes: blockSize });
    }
    if (pieces.length > volume.superblock.blocksCount) {
      throw new CorruptFilesystemError('directories have more blocks than the volume', {
        blocks: pieces.length,
      });
    }
  }
  pieces.sort((a, b) => a.block - b.block);

  const children = new Map<number, Map<string, number>>();
  for (const batch of batchesOf(pieces, cache.blockBytes)) {
    const found = await cache.run(() => {
      cache.need(batch);
      return batch.map((piece) => entriesOfBlock(volume, piece.directory, piece.block, piece.logicalBlock));
    });
    for (const [position, { directory }] of batch.entries()) {
      const names = children.get(directory.number) ?? new Map<string, number>();
      children.set(directory.number, names);
      for (const { name, inode } of found[position]!) {
        if (names.has(name)) {
          throw new CorruptFilesystemError('name twice in a directory', { inode: directory.number, name });
        }
        names.set(name, inode);
      }
    }
  }
  return children;
}

function* walkTree(inodes: ScannedInodes, children: Children): Generator<ScannedEntry> {
  const entered = new Set<number>();
  const open: ScannedEntry[] = [{ path: '/', stat: statIn(inodes, ROOT_INODE, '/') }];
  for (let entry = open.pop(); entry; entry = open.pop()) {
    yield entry;
    const { path, stat } = entry;
    if (stat.type !== 'directory') continue;
    if (entered.has(stat.inode)) throw new CorruptFilesystemError('directory with two paths', { path });
    entered.add(stat.inode);
    if (path.length > MAX_PATH_LENGTH)
      throw new CorruptFilesystemError('path longer than any', { inode: stat.inode });
    const prefix = path === '/' ? '/' : `${path}/`;
    for (const [name, number] of children.get(stat.inode) ?? []) {
      const child = prefix + name;
      open.push({ path: child, stat: statIn(inodes, number, child) });
    }
  }
}

function statIn(inodes: ScannedInodes, number: number, path: string): Stat {
  const stat = inodes.stats.get(number);
  if (stat) return stat;
  throw (
    inodes.damaged.get(number) ??
    new CorruptFilesystemError('path leads to an inode that is not in use', { path, inode: number })
  );
}

/** Cuts ordered ranges into batches that touch about BATCH_BYTES worth of fetched blocks each. */
function* batchesOf<T extends ByteRange>(ranges: readonly T[], blockBytes: number): Generator<T[]> {
  let batch: T[] = [];
  let bytes = 0;
  let lastBlock = -1;
  for (const range of ranges) {
    const first = Math.floor(range.offsetBytes / blockBytes);
    const last = Math.floor((range.offsetBytes + range.lengthBytes - 1) / blockBytes);
    bytes += (last - Math.max(first - 1, lastBlock)) * blockBytes;
    lastBlock = last;
    batch.push(range);
    if (bytes >= BATCH_BYTES) {
      yield batch;
      batch = [];
      bytes = 0;
    }
  }
  if (batch.length > 0) yield batch;
}
