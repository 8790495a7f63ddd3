import { LRUCache } from 'lru-cache';
import type { ByteRange } from '../../block-device/block-device';
import type { FaultingCache } from '../../block-device/faulting-cache';
import { CorruptFilesystemError } from '../errors';
import { namesOf } from '../path-names';
import type { DirectoryEntry, FilesystemReader, ScannedEntry, Stat, Xattrs } from '../filesystem';
import { FileTooLargeError, WrongFileTypeError } from '../read-errors';
import { NotADirectoryError, NotFoundError } from '../write-errors';
import { type FatDirectory, type FatEntry, MAX_DIRECTORY_BYTES, readDirectory } from './directory';
import { FatVolume } from './fat-volume';
import type { FatGeometry } from './geometry';
import { labelText } from './short-name';

/** Linux numbers the root so, and all else as it comes. Here an entry's place is its number. */
const ROOT_INODE = 1;
const MAX_READ_BYTES = 1024 * 1024 * 1024;
/** Content is fetched in pieces of this size. */
const COPY_BYTES = 8 * 1024 * 1024;
/** Entries of directories kept for path lookups. */
const CACHED_ENTRIES = 50_000;
/** Entries of the table that are counted at once. */
const COUNTED_CLUSTERS = 262_144;

/** What stands at a path; the root has no entry. */
interface Found {
  readonly entry: FatEntry | undefined;
}

/**
 * Reads FAT12, FAT16 and FAT32 with long names. Owner and mode are those that Linux gives without mount options: root,
 * 0755, or 0555 for what is read-only. Made by openFat.
 */
export class FatReader implements FilesystemReader {
  readonly kind = 'vfat';
  readonly uuid: string;
  readonly sizeBytes: number;
  private readonly volume: FatVolume;
  private readonly directories = new LRUCache<number, FatDirectory>({
    maxSize: CACHED_ENTRIES,
    sizeCalculation: ({ entries }) => entries.length + 1,
  });

  constructor(
    private readonly cache: FaultingCache,
    geometry: FatGeometry,
    readonly label: string,
  ) {
    this.volume = new FatVolume(cache, geometry);
    this.uuid = geometry.uuid;
    this.sizeBytes = geometry.sizeBytes;
  }

  async freeBytes(): Promise<number> {
    const { clusters, clusterBytes } = this.volume.geometry;
    let free = 0;
    for (let at = 2; at < clusters + 2; at += COUNTED_CLUSTERS) {
      const count = Math.min(COUNTED_CLUSTERS, clusters + 2 - at);
      free += await this.cache.run(() => {
        this.cache.need([this.volume.tableRange(at, count)]);
        return this.volume.freeClusters(at, count);
      });
    }
    return free * clusterBytes;
  }

  async lstat(path: string): Promise<Stat | undefined> {
    return this.cache.run(() => {
      const found = this.find(path);
      return found && this.statOf(found.entry);
    });
  }

  /** @throws NotFoundError, NotADirectoryError */
  async readdir(path: string): Promise<readonly DirectoryEntry[]> {
    return this.cache.run(() => {
      const { entry } = this.need(path);
      if (entry !== undefined && !entry.isDirectory) throw new NotADirectoryError(path);
      return this.directoryOf(entry).entries.map((child) => ({
        name: child.name,
        inode: inodeOf(child),
        type: child.isDirectory ? 'directory' : 'file',
      }));
    });
  }

  /** FAT has no symbolic links. @throws NotFoundError, WrongFileTypeError */
  async readlink(path: string): Promise<string> {
    return this.cache.run(() => {
      const { entry } = this.need(path);
      throw new WrongFileTypeError(path, 'symlink', entry?.isDirectory === false ? 'file' : 'directory');
    });
  }

  /** @throws NotFoundError, WrongFileTypeError, FileTooLargeError beyond 1 GiB */
  async readFile(path: string, range?: { offsetBytes: number; lengthBytes: number }): Promise<Uint8Array> {
    const { from, to, runs } = await this.cache.run(() => {
      const { entry } = this.need(path);
      if (entry === undefined || entry.isDirectory) throw new WrongFileTypeError(path, 'file', 'directory');
      const from = Math.min(range?.offsetBytes ?? 0, entry.sizeBytes);
      const to = Math.min(from + (range?.lengthBytes ?? entry.sizeBytes), entry.sizeBytes);
      return { from, to, runs: this.contentOf(entry, to) };
    });
    if (to - from > MAX_READ_BYTES) throw new FileTooLargeError(path, to - from, MAX_READ_BYTES);
    const content = new Uint8Array(to - from);
    for (let at = from; at < to; at += COPY_BYTES) {
      const lengthBytes = Math.min(COPY_BYTES, to - at);
      await this.cache.run(() => {
        const pieces = piecesOf(runs, at, lengthBytes);
        this.cache.need(pieces);
        let filled = at - from;
        for (const piece of pieces) {
          content.set(this.cache.read(piece.offsetBytes, piece.lengthBytes), filled);
          filled += piece.lengthBytes;
        }
      });
    }
    return content;
  }

  /** FAT has none. @throws NotFoundError */
  async xattrs(path: string): Promise<Xattrs> {
    return this.cache.run(() => {
      this.need(path);
      return new Map<string, Uint8Array>();
    });
  }

  async *scan(): AsyncIterable<ScannedEntry> {
    yield { path: '/', stat: await this.cache.run(() => this.statOf(undefined)) };
    const seen = new Set<number>();
    let directoryBytes = 0;
    const pending: { path: string; entry: FatEntry | undefined }[] = [{ path: '', entry: undefined }];
    for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
      const { path, entry: parent } = next;
      const children = await this.cache.run(() =>
        this.directoryOf(parent).entries.map((entry) => ({ entry, stat: this.statOf(entry) })),
      );
      for (const { entry, stat } of children) {
        // Directories that share clusters would be read again and again.
        if (entry.isDirectory) directoryBytes += stat.sizeBytes;
        if (directoryBytes > this.sizeBytes)
          throw new CorruptFilesystemError('directories larger than the volume', { directoryBytes });
        const childPath = `${path}/${entry.name}`;
        yield { path: childPath, stat };
        if (!entry.isDirectory) continue;
        if (seen.has(entry.firstCluster))
          throw new CorruptFilesystemError('a directory with two names', { path: childPath });
        seen.add(entry.firstCluster);
        pending.push({ path: childPath, entry });
      }
    }
  }

  private need(path: string): Found {
    const found = this.find(path);
    if (!found) throw new NotFoundError(path);
    return found;
  }

  /** Names are the same in upper and lower case. */
  private find(path: string): Found | undefined {
    let entry: FatEntry | undefined;
    for (const name of namesOf(path)) {
      if (entry !== undefined && !entry.isDirectory) return undefined;
      const wanted = name.toUpperCase();
      entry = this.directoryOf(entry).entries.find((child) => child.name.toUpperCase() === wanted);
      if (entry === undefined) return undefined;
    }
    return { entry };
  }

  private directoryOf(entry: FatEntry | undefined): FatDirectory {
    const key = entry === undefined ? ROOT_INODE : inodeOf(entry);
    const known = this.directories.get(key);
    if (known) return known;
    const ranges = this.directoryRanges(entry);
    this.cache.need(ranges);
    const directory = readDirectory(this.volume, ranges);
    this.directories.set(key, directory);
    return directory;
  }

  private directoryRanges(entry: FatEntry | undefined): readonly ByteRange[] {
    const { root, clusterBytes } = this.volume.geometry;
    if (entry === undefined && 'offsetBytes' in root) return [root];
    const first = entry?.firstCluster ?? ('cluster' in root ? root.cluster : 0);
    return this.volume.chain(first, Math.max(1, Math.floor(MAX_DIRECTORY_BYTES / clusterBytes)));
  }

  /** Where the first `lengthBytes` of a file are. */
  private contentOf(entry: FatEntry, lengthBytes: number): readonly ByteRange[] {
    if (lengthBytes === 0) return [];
    const clusters = Math.ceil(lengthBytes / this.volume.geometry.clusterBytes);
    const runs = this.volume.chain(entry.firstCluster, clusters);
    const found = runs.reduce((sum, run) => sum + run.lengthBytes, 0);
    if (found < lengthBytes) {
      throw new CorruptFilesystemError('a file longer than its chain of clusters', {
        sizeBytes: entry.sizeBytes,
        chainBytes: found,
      });
    }
    return runs;
  }

  private statOf(entry: FatEntry | undefined): Stat {
    const isDirectory = entry === undefined || entry.isDirectory;
    const mtimeNs = entry?.mtimeNs ?? 0n;
    const ranges = isDirectory ? this.directoryRanges(entry) : [];
    const subdirectories = isDirectory
      ? this.directoryOf(entry).entries.filter((child) => child.isDirectory).length
      : 0;
    return {
      inode: entry === undefined ? ROOT_INODE : inodeOf(entry),
      type: isDirectory ? 'directory' : 'file',
      mode: entry?.isReadOnly === true && !isDirectory ? 0o555 : 0o755,
      uid: 0,
      gid: 0,
      sizeBytes: isDirectory ? ranges.reduce((sum, range) => sum + range.lengthBytes, 0) : entry.sizeBytes,
      links: isDirectory ? 2 + subdirectories : 1,
      mtimeNs,
      ctimeNs: mtimeNs,
      immutable: false,
      appendOnly: false,
    };
  }
}

function inodeOf({ offsetBytes }: FatEntry): number {
  return ROOT_INODE + offsetBytes / 32;
}

/** The part [offset, offset + length) of bytes that lie in runs. */
function piecesOf(runs: readonly ByteRange[], offsetBytes: number, lengthBytes: number): ByteRange[] {
  const pieces: ByteRange[] = [];
  let start = 0;
  for (const run of runs) {
    const from = Math.max(start, offsetBytes);
    const to = Math.min(start + run.lengthBytes, offsetBytes + lengthBytes);
    if (to > from) pieces.push({ offsetBytes: run.offsetBytes + from - start, lengthBytes: to - from });
    start += run.lengthBytes;
  }
  return pieces;
}

/** The label that the root directory has, else the boot sector's. */
export function labelOf(geometry: FatGeometry, root: FatDirectory): string {
  const label = labelText(root.label ?? geometry.label);
  return label === 'NO NAME' ? '' : label;
}
