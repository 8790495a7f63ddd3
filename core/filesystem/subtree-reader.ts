import type { DirectoryEntry, FilesystemReader, ScannedEntry, Stat, Xattrs } from './filesystem';

/** A directory of a filesystem as a filesystem of its own: a btrfs subvolume, as it is seen where it is mounted. */
export class SubtreeReader implements FilesystemReader {
  readonly kind: string;
  readonly uuid: string;
  readonly label: string;
  readonly sizeBytes: number;

  /** @param prefix path of the directory, without a slash at the end */
  constructor(
    private readonly whole: FilesystemReader,
    private readonly prefix: string,
  ) {
    this.kind = whole.kind;
    this.uuid = whole.uuid;
    this.label = whole.label;
    this.sizeBytes = whole.sizeBytes;
  }

  freeBytes(): Promise<number> {
    return this.whole.freeBytes();
  }

  lstat(path: string): Promise<Stat | undefined> {
    return this.whole.lstat(this.inWhole(path));
  }

  readdir(path: string): Promise<readonly DirectoryEntry[]> {
    return this.whole.readdir(this.inWhole(path));
  }

  readlink(path: string): Promise<string> {
    return this.whole.readlink(this.inWhole(path));
  }

  readFile(path: string, range?: { offsetBytes: number; lengthBytes: number }): Promise<Uint8Array> {
    return this.whole.readFile(this.inWhole(path), range);
  }

  xattrs(path: string): Promise<Xattrs> {
    return this.whole.xattrs(this.inWhole(path));
  }

  async *scan(): AsyncIterable<ScannedEntry> {
    const below = `${this.prefix}/`;
    for await (const { path, stat } of this.whole.scan()) {
      if (path === this.prefix) yield { path: '/', stat };
      else if (path.startsWith(below)) yield { path: path.slice(this.prefix.length), stat };
    }
  }

  private inWhole(path: string): string {
    return path === '/' ? this.prefix : this.prefix + path;
  }
}
