import type { ByteRange } from '../../block-device/block-device';
import type { FaultingCache } from '../../block-device/faulting-cache';
import { readInBatches } from '../../block-device/read-in-batches';
import { CorruptFilesystemError } from '../errors';
import { emptyFacts, type InodeFacts, type TreeTable } from '../scan/tree-table';
import { crc32cU32, crc32cWords } from '../../bytes/checksum';
import { DirectoryPlaces } from './directory-places';
import { statOf } from './file-type';
import {
  EXTRA_ISIZE,
  GOOD_OLD_INODE_BYTES,
  InodeFlag,
  parseInode,
  ROOT_INODE,
  S_IFDIR,
  S_IFLNK,
  S_IFMT,
  S_IFREG,
  verifyInode,
} from './inode';
import type { Superblock } from './superblock';
import type { VolumeReader } from './volume-reader';

/** Words of an inode (kernel Documentation/filesystems/ext4/inodes.rst): the fields that a scan looks at. */
const Word = {
  mode: 0,
  size: 1,
  ctime: 3,
  mtime: 4,
  links: 6,
  flags: 8,
  generation: 25,
  sizeHigh: 27,
  highOwner: 30,
  checksum: 31,
  extra: 32,
  ctimeExtra: 33,
  mtimeExtra: 34,
} as const;

interface TablePiece extends ByteRange {
  readonly firstInode: number;
}

/** Puts every inode in use into the table. @returns the directories among them, and where their blocks are */
export async function scanInodes(
  cache: FaultingCache,
  volume: VolumeReader,
  table: TreeTable,
): Promise<DirectoryPlaces> {
  const places = new DirectoryPlaces(cache, volume);
  const scanner = new InodeScanner(volume.superblock, table, places);
  const pieces = await cache.run(() => tablePieces(volume, cache.blockBytes));
  await readInBatches(cache, pieces, async (batch) => {
    for (const [{ firstInode }, bytes] of batch) scanner.scan(bytes, firstInode);
    await places.settle();
  });
  return places;
}

/**
 * The used parts of all inode tables in the order of the disk, each piece within one block of the cache. Tables that
 * overlap would multiply their inodes.
 */
function tablePieces(volume: VolumeReader, cacheBlockBytes: number): TablePiece[] {
  const { groupCount, inodesPerGroup, inodeSize } = volume.superblock;
  const pieces: TablePiece[] = [];
  for (let group = 0; group < groupCount; group++) {
    const { offsetBytes, lengthBytes } = volume.inodeTableRange(group);
    for (let done = 0; done < lengthBytes;) {
      const at = offsetBytes + done;
      const length = Math.min(cacheBlockBytes - (at % cacheBlockBytes), lengthBytes - done);
      const firstInode = group * inodesPerGroup + 1 + done / inodeSize;
      pieces.push({ offsetBytes: at, lengthBytes: length, firstInode });
      done += length;
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

/**
 * Looks at inodes by their 32-bit words: there are millions, and all but a few are as they should be. What is not goes
 * through `parseInode` and its like, which say what is wrong.
 */
class InodeScanner {
  private readonly facts = emptyFacts();

  constructor(
    private readonly superblock: Superblock,
    private readonly table: TreeTable,
    private readonly directories: DirectoryPlaces,
  ) {}

  scan(bytes: Uint8Array, firstInode: number): void {
    const { inodeSize, firstInode: firstOrdinary } = this.superblock;
    const aligned = bytes.byteOffset % 4 === 0 ? bytes : bytes.slice();
    const words = new Int32Array(aligned.buffer, aligned.byteOffset, aligned.length / 4);
    const inodeWords = inodeSize / 4;
    for (let at = 0, number = firstInode; at < words.length; at += inodeWords, number++) {
      // Mode 0 was never used; no links is deleted or an orphan; what is reserved is on no path.
      if ((words[at + Word.mode]! & 0xffff) === 0 || words[at + Word.links]! >>> 16 === 0) continue;
      if (number < firstOrdinary && number !== ROOT_INODE) continue;
      this.take(aligned, words, at, number);
    }
  }

  private take(bytes: Uint8Array, words: Int32Array, at: number, number: number): void {
    const mode = words[at + Word.mode]! & 0xffff;
    const type = mode & S_IFMT;
    const isSimple =
      (type === S_IFREG || type === S_IFLNK) &&
      (words[at + Word.flags]! & InodeFlag.ENCRYPT) === 0 &&
      this.hasUsualExtra(words, at);
    if (isSimple && this.checksumHolds(words, at, number)) {
      this.takeSimple(words, at, number);
      return;
    }
    const inodeBytes = bytes.subarray(at * 4, at * 4 + this.superblock.inodeSize);
    try {
      verifyInode(inodeBytes, this.superblock, number);
      const inode = parseInode(inodeBytes, this.superblock);
      const { device, sizeBytes } = statOf(number, inode);
      const facts = this.factsOf(words, at, inode.extraIsize);
      facts.sizeBytes = sizeBytes;
      facts.major = device?.major ?? 0;
      facts.minor = device?.minor ?? 0;
      this.table.put(number, facts);
      if (type === S_IFDIR) this.directories.add(number, inode);
    } catch (error) {
      if (!(error instanceof CorruptFilesystemError)) throw error;
      this.table.putDamaged(number, error);
    }
  }

  private takeSimple(words: Int32Array, at: number, number: number): void {
    const isSmall = this.superblock.inodeSize === GOOD_OLD_INODE_BYTES;
    const facts = this.factsOf(words, at, isSmall ? 0 : words[at + Word.extra]! & 0xffff);
    facts.major = 0;
    facts.minor = 0;
    this.table.put(number, facts);
  }

  private factsOf(words: Int32Array, at: number, extraIsize: number): InodeFacts {
    const { facts } = this;
    const owner = words[at]! >>> 16;
    const highOwner = words[at + Word.highOwner]!;
    const flags = words[at + Word.flags]!;
    const mode = words[at]! & 0xffff;
    const ctimeExtra = extraIsize >= 8 ? words[at + Word.ctimeExtra]! : 0;
    const mtimeExtra = extraIsize >= 12 ? words[at + Word.mtimeExtra]! : 0;
    facts.mode = mode;
    facts.uid = owner + (highOwner & 0xffff) * 0x10000;
    facts.gid = (words[at + Word.links]! & 0xffff) + (highOwner >>> 16) * 0x10000;
    facts.links = words[at + Word.links]! >>> 16;
    facts.sizeBytes = words[at + Word.size]! >>> 0;
    if ((mode & S_IFMT) === S_IFREG) facts.sizeBytes += (words[at + Word.sizeHigh]! >>> 0) * 0x1_0000_0000;
    facts.ctimeSeconds = words[at + Word.ctime]! + (ctimeExtra & 3) * 0x1_0000_0000;
    facts.ctimeNanoseconds = ctimeExtra >>> 2;
    facts.mtimeSeconds = words[at + Word.mtime]! + (mtimeExtra & 3) * 0x1_0000_0000;
    facts.mtimeNanoseconds = mtimeExtra >>> 2;
    facts.immutable = (flags & InodeFlag.IMMUTABLE) !== 0;
    facts.appendOnly = (flags & InodeFlag.APPEND) !== 0;
    return facts;
  }

  private hasUsualExtra(words: Int32Array, at: number): boolean {
    if (this.superblock.inodeSize === GOOD_OLD_INODE_BYTES) return true;
    const extra = words[at + Word.extra]! & 0xffff;
    return extra === EXTRA_ISIZE || extra === 28;
  }

  /** As `verifyInode`, for inodes that are GOOD_OLD_INODE_BYTES long or have the usual extra fields. */
  private checksumHolds(words: Int32Array, at: number, number: number): boolean {
    const { superblock } = this;
    if (!superblock.hasMetadataChecksums) return true;
    let crc = crc32cU32(crc32cU32(superblock.checksumSeed, number), words[at + Word.generation]!);
    // The fields of the checksum itself count as zeros.
    crc = crc32cWords(crc, words, at, at + Word.checksum);
    const last = words[at + Word.checksum]!;
    crc = crc32cU32(crc, last & ~0xffff);
    if (superblock.inodeSize === GOOD_OLD_INODE_BYTES) return (crc & 0xffff) === (last & 0xffff);
    const extra = words[at + Word.extra]!;
    crc = crc32cU32(crc, extra & 0xffff);
    crc = crc32cWords(crc, words, at + Word.extra + 1, at + superblock.inodeSize / 4);
    return crc === ((last & 0xffff) | (extra & ~0xffff)) >>> 0;
  }
}
