import type {
  DirectoryEntry,
  FileType,
  FilesystemChange,
  FilesystemWriter,
  Metadata,
  ModificationTime,
  ScannedEntry,
  Stat,
  Xattrs,
} from '../../core/filesystem/filesystem';
import { FailedChangeError, NotReplaceableError } from '../../core/filesystem/write-errors';

/** One inode. Directories have `entries`, files `content`, symbolic links `target`, devices `device`. */
interface Inode {
  readonly number: number;
  readonly type: FileType;
  mode: number;
  uid: number;
  gid: number;
  mtimeNs: bigint;
  ctimeNs: bigint;
  xattrs: Map<string, Uint8Array>;
  immutable: boolean;
  appendOnly: boolean;
  names: number;
  readonly content: Uint8Array;
  readonly target: string;
  readonly device?: { major: number; minor: number };
  readonly entries: Map<string, Inode>;
}

/** What a call that cannot be done throws; `code` is that of errno(3). */
export class MemoryFilesystemError extends Error {
  override readonly name = 'MemoryFilesystemError';
  constructor(
    readonly code: 'ENOENT' | 'ENOTDIR' | 'EISDIR' | 'ENOTEMPTY' | 'EINVAL' | 'ENOSPC' | 'EPERM' | 'EBUSY',
    readonly path: string,
  ) {
    super(`${code}: ${path}`);
  }
}

const ROOT_INODE = 2;
const START_OF_TIME_NS = 1_700_000_000_000_000_000n;

/**
 * A filesystem in memory with the semantics of a real one: hard links, xattrs, device nodes, link counts, replacement as
 * rename(2) does it, times of parents. Its ctime is a counter that every change moves on, as the kernel's clock would.
 */
export class MemoryFilesystem implements FilesystemWriter {
  readonly kind = 'memory';
  readonly uuid: string;
  readonly label = '';
  readonly sizeBytes: number;
  private root: Inode;
  private nextInode = ROOT_INODE + 9;
  private ticks = 0n;
  /** How often file contents were read, by path: to prove what was not read. */
  readonly contentReads = new Map<string, number>();

  constructor(options: { sizeBytes?: number; uuid?: string } = {}) {
    this.sizeBytes = options.sizeBytes ?? 1024 ** 3;
    this.uuid = options.uuid ?? '00000000-0000-4000-8000-000000000000';
    this.root = this.inode('directory', { ...DIRECTORY, mtimeNs: START_OF_TIME_NS }, {}, ROOT_INODE);
    this.root.names = 1;
  }

  /** An independent copy with the same inode numbers and times: the volume made of a snapshot. */
  clone(options: { uuid?: string } = {}): MemoryFilesystem {
    const copy = new MemoryFilesystem({ sizeBytes: this.sizeBytes, uuid: options.uuid ?? this.uuid });
    copy.nextInode = this.nextInode;
    copy.ticks = this.ticks;
    const copies = new Map<Inode, Inode>();
    const copyOf = (original: Inode): Inode => {
      const known = copies.get(original);
      if (known !== undefined) return known;
      const made: Inode = { ...original, xattrs: new Map(original.xattrs), entries: new Map() };
      copies.set(original, made);
      for (const [name, child] of original.entries) made.entries.set(name, copyOf(child));
      return made;
    };
    copy.root = copyOf(this.root);
    return copy;
  }

  /** For building trees in tests: writes a file and makes the directories above it. */
  async put(path: string, content: string | Uint8Array, metadata: Partial<Metadata> = {}): Promise<void> {
    await this.makeParents(path);
    const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content;
    await this.writeFile(path, bytes, { ...FILE, mtimeNs: this.now(), ...metadata });
  }

  async makeParents(path: string): Promise<void> {
    const parts = path.split('/').slice(1, -1);
    for (let depth = 1; depth <= parts.length; depth++) {
      const parent = `/${parts.slice(0, depth).join('/')}`;
      if (this.find(parent) === undefined) await this.mkdir(parent, { ...DIRECTORY, mtimeNs: this.now() });
    }
  }

  setFlags(path: string, flags: { immutable?: boolean; appendOnly?: boolean }): void {
    Object.assign(this.need(path), flags);
  }

  async freeBytes(): Promise<number> {
    let used = 0;
    const seen = new Set<Inode>();
    const visit = (inode: Inode): void => {
      if (seen.has(inode)) return;
      seen.add(inode);
      used += inode.content.length;
      inode.entries.forEach(visit);
    };
    visit(this.root);
    return this.sizeBytes - used;
  }

  async lstat(path: string): Promise<Stat | undefined> {
    const inode = this.find(path);
    return inode && statOf(inode);
  }

  async readdir(path: string): Promise<readonly DirectoryEntry[]> {
    return [...this.needDirectory(path).entries].map(([name, inode]) => ({
      name,
      inode: inode.number,
      type: inode.type,
    }));
  }

  async readlink(path: string): Promise<string> {
    const inode = this.need(path);
    if (inode.type !== 'symlink') throw new MemoryFilesystemError('EINVAL', path);
    return inode.target;
  }

  async readFile(path: string, range?: { offsetBytes: number; lengthBytes: number }): Promise<Uint8Array> {
    const inode = this.need(path);
    if (inode.type === 'directory') throw new MemoryFilesystemError('EISDIR', path);
    if (inode.type !== 'file') throw new MemoryFilesystemError('EINVAL', path);
    this.contentReads.set(path, (this.contentReads.get(path) ?? 0) + 1);
    return range === undefined
      ? inode.content.slice()
      : inode.content.slice(range.offsetBytes, range.offsetBytes + range.lengthBytes);
  }

  async xattrs(path: string): Promise<Xattrs> {
    return new Map(this.need(path).xattrs);
  }

  async *scan(): AsyncIterable<ScannedEntry> {
    const pending: [string, Inode][] = [['/', this.root]];
    for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
      const [path, inode] = next;
      yield { path, stat: statOf(inode) };
      for (const [name, child] of inode.entries)
        pending.push([path === '/' ? `/${name}` : `${path}/${name}`, child]);
    }
  }

  async perform(changes: readonly FilesystemChange[]): Promise<void> {
    const before = this.clone();
    for (const [index, change] of changes.entries()) {
      try {
        await this.change(change);
      } catch (cause) {
        this.root = before.root;
        throw new FailedChangeError(index, change.path, cause);
      }
    }
  }

  private change(change: FilesystemChange): Promise<void> {
    switch (change.kind) {
      case 'put-file':
        return this.writeFile(change.path, change.content, change.metadata);
      case 'make-directory':
        return this.mkdir(change.path, change.metadata);
      case 'make-symlink':
        return this.symlink(change.path, change.target, change.metadata);
      case 'make-hard-link':
        return this.link(change.existingPath, change.path);
      case 'make-node':
        return this.mknod(change.path, change.type, change.device, change.metadata);
      case 'remove':
        return this.remove(change.path);
      case 'set-metadata':
        return this.setMetadata(change.path, change.metadata);
    }
  }

  async writeFile(path: string, content: Uint8Array, metadata: Metadata): Promise<void> {
    if (content.length > (await this.freeBytes())) throw new MemoryFilesystemError('ENOSPC', path);
    this.place(path, this.inode('file', metadata, { content: content.slice() }));
  }

  async mkdir(path: string, metadata: Metadata): Promise<void> {
    if (this.find(path)?.type === 'directory') return this.setMetadata(path, metadata);
    this.place(path, this.inode('directory', metadata, {}));
  }

  async symlink(path: string, target: string, metadata: Metadata): Promise<void> {
    this.place(path, this.inode('symlink', { ...metadata, mode: 0o777 }, { target }));
  }

  async link(existingPath: string, path: string): Promise<void> {
    const inode = this.need(existingPath);
    if (inode.type === 'directory') throw new MemoryFilesystemError('EPERM', existingPath);
    if (this.find(path) === inode) return;
    this.place(path, inode);
    inode.ctimeNs = this.now();
  }

  async mknod(
    path: string,
    type: 'character-device' | 'block-device' | 'fifo' | 'socket',
    device: { major: number; minor: number },
    metadata: Metadata,
  ): Promise<void> {
    const isDevice = type === 'character-device' || type === 'block-device';
    this.place(path, this.inode(type, metadata, isDevice ? { device: { ...device } } : {}));
  }

  async remove(path: string): Promise<void> {
    const inode = this.need(path);
    if (inode === this.root) throw new MemoryFilesystemError('EBUSY', path);
    if (inode.entries.size > 0) throw new MemoryFilesystemError('ENOTEMPTY', path);
    if (inode.immutable || inode.appendOnly) throw new MemoryFilesystemError('EPERM', path);
    const { parent, name } = this.parentOf(path);
    parent.entries.delete(name);
    this.changed(parent);
    inode.names -= 1;
    inode.ctimeNs = this.now();
  }

  async setMetadata(path: string, metadata: Metadata): Promise<void> {
    const inode = this.need(path);
    if (inode.immutable || inode.appendOnly) throw new MemoryFilesystemError('EPERM', path);
    inode.mode = inode.type === 'symlink' ? 0o777 : metadata.mode;
    inode.uid = metadata.uid;
    inode.gid = metadata.gid;
    inode.mtimeNs = metadata.mtimeNs;
    inode.ctimeNs = this.now();
    inode.xattrs = new Map(metadata.xattrs);
  }

  async setModificationTimes(times: readonly ModificationTime[]): Promise<void> {
    for (const { path, mtimeNs } of times) {
      const inode = this.find(path);
      if (inode === undefined || inode.immutable || inode.appendOnly) continue;
      inode.mtimeNs = mtimeNs;
      inode.ctimeNs = this.now();
    }
  }

  /** What can go wrong here: link counts that are not the number of names. */
  async check(): Promise<readonly string[]> {
    const names = new Map<Inode, number>();
    const visit = (inode: Inode): void => {
      for (const child of inode.entries.values()) {
        names.set(child, (names.get(child) ?? 0) + 1);
        visit(child);
      }
    };
    visit(this.root);
    return [...names]
      .filter(([inode, count]) => inode.names !== count)
      .map(([inode, count]) => `inode ${inode.number} has ${count} names, counted ${inode.names}`);
  }

  private inode(
    type: FileType,
    metadata: Metadata,
    own: Partial<Pick<Inode, 'content' | 'target' | 'device'>>,
    number = this.nextInode++,
  ): Inode {
    return {
      number,
      type,
      mode: metadata.mode,
      uid: metadata.uid,
      gid: metadata.gid,
      mtimeNs: metadata.mtimeNs,
      ctimeNs: this.now(),
      xattrs: new Map(metadata.xattrs),
      immutable: false,
      appendOnly: false,
      names: 0,
      content: new Uint8Array(),
      target: '',
      entries: new Map(),
      ...own,
    };
  }

  /** As rename(2): the old inode loses this name; a directory and a non-directory never replace each other. */
  private place(path: string, inode: Inode): void {
    const { parent, name } = this.parentOf(path);
    const old = parent.entries.get(name);
    if (old !== undefined) {
      if (old.type === 'directory' || inode.type === 'directory') {
        throw new NotReplaceableError(path, old.type, inode.type);
      }
      if (old.immutable || old.appendOnly) throw new MemoryFilesystemError('EPERM', path);
      old.names -= 1;
      old.ctimeNs = this.now();
    }
    parent.entries.set(name, inode);
    inode.names += 1;
    this.changed(parent);
  }

  private changed(directory: Inode): void {
    directory.mtimeNs = directory.ctimeNs = this.now();
  }

  private now(): bigint {
    this.ticks += 1_000_000n;
    return START_OF_TIME_NS + this.ticks;
  }

  private find(path: string): Inode | undefined {
    if (!path.startsWith('/') || (path !== '/' && path.endsWith('/')))
      throw new MemoryFilesystemError('EINVAL', path);
    let inode: Inode | undefined = this.root;
    for (const name of path.split('/').filter((part) => part !== '')) inode = inode?.entries.get(name);
    return inode;
  }

  private need(path: string): Inode {
    const inode = this.find(path);
    if (inode === undefined) throw new MemoryFilesystemError('ENOENT', path);
    return inode;
  }

  private needDirectory(path: string): Inode {
    const inode = this.need(path);
    if (inode.type !== 'directory') throw new MemoryFilesystemError('ENOTDIR', path);
    return inode;
  }

  private parentOf(path: string): { parent: Inode; name: string } {
    const cut = path.lastIndexOf('/');
    const name = path.slice(cut + 1);
    if (name === '') throw new MemoryFilesystemError('EBUSY', path);
    return { parent: this.needDirectory(path.slice(0, cut) || '/'), name };
  }
}

const FILE = { mode: 0o644, uid: 0, gid: 0, xattrs: new Map<string, Uint8Array>() };
const DIRECTORY = { ...FILE, mode: 0o755 };

function statOf(inode: Inode): Stat {
  const directories = [...inode.entries.values()].filter((child) => child.type === 'directory').length;
  return {
    inode: inode.number,
    type: inode.type,
    mode: inode.mode,
    uid: inode.uid,
    gid: inode.gid,
    sizeBytes:
      inode.type === 'directory'
        ? 4096
        : inode.type === 'symlink'
          ? new TextEncoder().encode(inode.target).length
          : inode.content.length,
    links: inode.type === 'directory' ? 2 + directories : inode.names,
    mtimeNs: inode.mtimeNs,
    ctimeNs: inode.ctimeNs,
    device: inode.device,
    immutable: inode.immutable,
    appendOnly: inode.appendOnly,
  };
}
