import { LRUCache } from 'lru-cache';
import type { FaultingCache } from '../../block-device/faulting-cache';
import { decodeName } from '../../bytes/names';
import { formatUuid } from '../../bytes/uuid';
import { CorruptFilesystemError } from '../errors';
import { typeOfMode } from '../file-mode';
import type { DirectoryEntry, FilesystemReader, FileType, ScannedEntry, Stat, Xattrs } from '../filesystem';
import { EncryptedFileError, WrongFileTypeError } from '../read-errors';
import { PIECE_BYTES, rangeWithin, readInPieces } from '../read-in-pieces';
import { NotADirectoryError, NotFoundError } from '../write-errors';
import { directoryBlocks, readDirectoryEntries, type DirectoryEntries } from './directory-entries';
import type { Extent } from './extent';
import { contentInPlace, contentRanges, readContent } from './file-content';
import { FAST_SYMLINK_BYTES, isFastSymlink } from './fast-symlink';
import { fileExtents } from './file-extents';
import { statOf } from './file-type';
import { fileXattrs } from './file-xattrs';
import { freeBlocksForFiles } from './free-space';
import { hasInlineData, inlineContent } from './inline-data';
import { InodeFlag, ROOT_INODE, type Inode } from './inode';
import { noKeyTarget } from './no-key-name';
import { namesOf } from '../path-names';
import { scanVolume } from './scan';
import type { Superblock } from './superblock';
import { VolumeReader } from './volume-reader';

const MAX_SYMLINK_BYTES = 4096;
/** Entries of directories kept for path lookups. */
const CACHED_ENTRIES = 200_000;

interface OpenFile {
  readonly number: number;
  readonly inode: Inode;
}

/**
 * Reads ext4, ext3 and ext2 over a faulting cache. Every operation is synchronous code that the cache runs again when
 * blocks were missing. Made by openExt4; a writer on the same cache calls `forget` after each change.
 */
export class Ext4Reader implements FilesystemReader {
  readonly kind = 'ext4';
  readonly uuid: string;
  readonly label: string;
  readonly sizeBytes: number;
  private volume: VolumeReader;
  private readonly directories = new LRUCache<number, DirectoryEntries>({
    maxSize: CACHED_ENTRIES,
    sizeCalculation: (entries) => entries.size + 1,
  });

  constructor(
    private readonly cache: FaultingCache,
    superblock: Superblock,
  ) {
    this.volume = new VolumeReader(cache, superblock);
    this.uuid = formatUuid(superblock.uuid);
    this.label = superblock.label;
    this.sizeBytes = superblock.blocksCount * superblock.blockSize;
  }

  /** Drops everything that was worked out from blocks: they have changed. */
  forget(superblock: Superblock = this.volume.superblock): void {
    this.volume = new VolumeReader(this.cache, superblock);
    if (this.directories.size > 0) this.directories.clear();
  }

  async freeBytes(): Promise<number> {
    return this.cache.run(() => freeBlocksForFiles(this.volume) * this.volume.superblock.blockSize);
  }

  async lstat(path: string): Promise<Stat | undefined> {
    return this.cache.run(() => {
      const file = this.find(path);
      return file && statOf(file.number, file.inode);
    });
  }

  /** @throws NotFoundError, NotADirectoryError */
  async readdir(path: string): Promise<readonly DirectoryEntry[]> {
    return this.cache.run(() => {
      const entries = this.entriesOf(this.need(path).number);
      if (!entries) throw new NotADirectoryError(path);
      return [...entries.values()];
    });
  }

  /** @throws NotFoundError, WrongFileTypeError */
  async readlink(path: string): Promise<string> {
    return this.cache.run(() => {
      const link = this.needType(path, 'symlink');
      const target = this.targetOf(link);
      return link.inode.flags & InodeFlag.ENCRYPT ? noKeyTarget(target) : decodeName(target);
    });
  }

  /** @throws NotFoundError, WrongFileTypeError, EncryptedFileError, FileTooLargeError beyond 1 GiB */
  async readFile(path: string, range?: { offsetBytes: number; lengthBytes: number }): Promise<Uint8Array> {
    const { from, to, extents, inPlace } = await this.cache.run(() => {
      const file = this.needType(path, 'file');
      const { sizeBytes, flags } = file.inode;
      if (flags & InodeFlag.ENCRYPT) throw new EncryptedFileError(path);
      const { from, to } = rangeWithin(sizeBytes, range);
      if (hasInlineData(file.inode)) {
        const inPlace = inlineContent(this.volume, file.number, file.inode).subarray(from, to);
        return { from, to, extents: [], inPlace };
      }
      const extents = this.extentsOf(file);
      const wanted = { offsetBytes: from, lengthBytes: to - from };
      const isSmall = wanted.lengthBytes <= PIECE_BYTES;
      return {
        from,
        to,
        extents,
        inPlace: isSmall ? contentInPlace(this.volume, extents, wanted) : undefined,
      };
    });
    if (inPlace !== undefined) return inPlace;
    const { blockSize } = this.volume.superblock;
    return readInPieces(path, { from, to }, (at, part) =>
      this.cache.run(() => {
        this.cache.need(contentRanges(extents, blockSize, { offsetBytes: at, lengthBytes: part.length }));
        readContent(this.volume, extents, at, part);
      }),
    );
  }

  /** @throws NotFoundError */
  async xattrs(path: string): Promise<Xattrs> {
    return this.cache.run(() => {
      const file = this.need(path);
      return fileXattrs(this.volume, file.number, file.inode);
    });
  }

  scan(): AsyncIterable<ScannedEntry> {
    return scanVolume(this.cache, this.volume);
  }

  private targetOf(link: OpenFile): Uint8Array {
    const { sizeBytes, block } = link.inode;
    if (hasInlineData(link.inode)) return inlineContent(this.volume, link.number, link.inode);
    const isFast = isFastSymlink(this.volume.superblock, link.inode);
    if (sizeBytes > (isFast ? FAST_SYMLINK_BYTES - 1 : MAX_SYMLINK_BYTES)) {
      throw new CorruptFilesystemError('symbolic link too long', { inode: link.number, sizeBytes });
    }
    if (isFast) return block.subarray(0, sizeBytes);
    const target = new Uint8Array(sizeBytes);
    readContent(this.volume, this.extentsOf(link), 0, target);
    return target;
  }

  private need(path: string): OpenFile {
    const file = this.find(path);
    if (!file) throw new NotFoundError(path);
    return file;
  }

  private needType(path: string, expected: FileType): OpenFile {
    const file = this.need(path);
    const found = typeOfMode(file.inode.mode, file.number);
    if (found !== expected) throw new WrongFileTypeError(path, expected, found);
    return file;
  }

  private find(path: string): OpenFile | undefined {
    let number = ROOT_INODE;
    for (const name of namesOf(path)) {
      const entry = this.entriesOf(number)?.get(name);
      if (!entry) return undefined;
      number = entry.inode;
    }
    return { number, inode: this.volume.inode(number) };
  }

  /** Undefined when the inode is no directory. */
  private entriesOf(number: number): DirectoryEntries | undefined {
    const known = this.directories.get(number);
    if (known) return known;
    const inode = this.volume.inode(number);
    if (typeOfMode(inode.mode, number) !== 'directory') return undefined;
    const extents = this.extentsOf({ number, inode });
    const { blockSize } = this.volume.superblock;
    const blocks = directoryBlocks(this.volume, { number, inode, extents });
    // One fetch for the whole directory in the place of one for each of its blocks.
    this.cache.need(blocks.map((block) => ({ offsetBytes: block * blockSize, lengthBytes: blockSize })));
    const entries = readDirectoryEntries(this.volume, { number, inode, extents });
    this.directories.set(number, entries);
    return entries;
  }

  private extentsOf(file: OpenFile): readonly Extent[] {
    return fileExtents(this.volume, file.number, file.inode);
  }
}
