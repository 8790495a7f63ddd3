import { LRUCache } from 'lru-cache';
import type { FaultingCache } from '../../block-device/faulting-cache';
import { decodeName } from '../../bytes/names';
import { formatUuid } from '../../bytes/uuid';
import { UnsupportedFeatureError } from '../errors';
import { typeOfMode } from '../file-mode';
import { namesOf } from '../path-names';
import type { DirectoryEntry, FilesystemReader, FileType, ScannedEntry, Stat, Xattrs } from '../filesystem';
import { WrongFileTypeError } from '../read-errors';
import { PIECE_BYTES, rangeWithin, readInPieces } from '../read-in-pieces';
import { NotADirectoryError, NotFoundError } from '../write-errors';
import { type DirectoryEntries, readDirectoryEntries } from './directory-entries';
import type { Extent } from './extent';
import { contentInPlace, readContent } from './file-content';
import { fileXattrs } from './file-xattrs';
import { forkExtents } from './fork-extents';
import { freeBlocksForFiles } from './free-space';
import { type Inode, InodeFlag } from './inode';
import { scanVolume } from './scan';
import { statOf } from './inode-facts';
import type { Superblock } from './superblock';
import { symlinkTarget } from './symlink-target';
import { Volume } from './volume';

/** Entries of directories kept for path lookups. */
const CACHED_ENTRIES = 200_000;

/** Reads XFS over a faulting cache. Every operation is synchronous code that the cache runs again when blocks were missing. */
export class XfsReader implements FilesystemReader {
  readonly kind = 'xfs';
  readonly uuid: string;
  readonly label: string;
  readonly sizeBytes: number;
  private readonly volume: Volume;
  private readonly directories = new LRUCache<number, DirectoryEntries>({
    maxSize: CACHED_ENTRIES,
    sizeCalculation: (entries) => entries.size + 1,
  });

  /** The last directory that is too large for the cache: work within it must not read it for each of its names. */
  private large: { readonly number: number; readonly entries: DirectoryEntries } | undefined;

  constructor(
    private readonly cache: FaultingCache,
    superblock: Superblock,
  ) {
    this.volume = new Volume(cache, superblock);
    this.uuid = formatUuid(superblock.uuid);
    this.label = superblock.label;
    this.sizeBytes = superblock.blocksCount * superblock.blockSize;
  }

  async freeBytes(): Promise<number> {
    return this.cache.run(() => freeBlocksForFiles(this.volume) * this.volume.superblock.blockSize);
  }

  async lstat(path: string): Promise<Stat | undefined> {
    return this.cache.run(() => {
      const number = this.find(path);
      return number === undefined ? undefined : statOf(this.volume.inodeBytes(number), number);
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
    return this.cache.run(() => decodeName(symlinkTarget(this.volume, this.needType(path, 'symlink'))));
  }

  /** @throws NotFoundError, WrongFileTypeError, FileTooLargeError beyond 1 GiB, UnsupportedFeatureError for real-time files */
  async readFile(path: string, range?: { offsetBytes: number; lengthBytes: number }): Promise<Uint8Array> {
    const { from, to, extents, inPlace } = await this.cache.run(() => {
      const file = this.needType(path, 'file');
      const { from, to } = rangeWithin(file.sizeBytes, range);
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
    return readInPieces(path, { from, to }, (at, part) =>
      this.cache.run(() => readContent(this.volume, extents, at, part)),
    );
  }

  /** @throws NotFoundError */
  async xattrs(path: string): Promise<Xattrs> {
    return this.cache.run(() => fileXattrs(this.volume, this.need(path)));
  }

  scan(): AsyncIterable<ScannedEntry> {
    return scanVolume(this.cache, this.volume);
  }

  private need(path: string): Inode {
    const number = this.find(path);
    if (number === undefined) throw new NotFoundError(path);
    return this.volume.inode(number);
  }

  private needType(path: string, expected: FileType): Inode {
    const inode = this.need(path);
    const found = typeOfMode(inode.mode, inode.number);
    if (found !== expected) throw new WrongFileTypeError(path, expected, found);
    return inode;
  }

  private find(path: string): number | undefined {
    let number = this.volume.superblock.rootInode;
    for (const name of namesOf(path)) {
      const entry = this.entriesOf(number)?.get(name);
      if (!entry) return undefined;
      number = entry.inode;
    }
    return number;
  }

  /** Undefined when the inode is no directory. */
  private entriesOf(number: number): DirectoryEntries | undefined {
    const known =
      this.directories.get(number) ?? (this.large?.number === number ? this.large.entries : undefined);
    if (known) return known;
    const inode = this.volume.inode(number);
    if (typeOfMode(inode.mode, number) !== 'directory') return undefined;
    const entries = readDirectoryEntries(this.volume, inode);
    if (entries.size < CACHED_ENTRIES) this.directories.set(number, entries);
    else this.large = { number, entries };
    return entries;
  }

  private extentsOf(file: Inode): readonly Extent[] {
    if (file.flags & InodeFlag.REALTIME) throw new UnsupportedFeatureError(['realtime'], 'read');
    return forkExtents(this.volume, file.number, file.data);
  }
}
