import type { DirectoryEntry, ScannedEntry, Stat, Xattrs } from '../filesystem/filesystem';
import type { IdentityValues } from './identity-values';
import type { IgnoredMount, Image, ImageMount } from './image';
import type { OsIdentity } from './os-identity';

/** Several filesystems as one: each path is looked up on the filesystem with the longest mount point that holds it. */
export class ImageNamespace implements Image {
  readonly ignoredMounts: readonly IgnoredMount[];
  readonly os: OsIdentity;
  readonly identity: IdentityValues;
  private readonly longestFirst: readonly ImageMount[];

  /** @param mounts the root first, a mount point always after the one that holds it */
  constructor(
    readonly mounts: readonly ImageMount[],
    facts: { ignoredMounts: readonly IgnoredMount[]; os: OsIdentity; identity: IdentityValues },
    private readonly whenClosed: () => Promise<void> = async () => {},
  ) {
    this.ignoredMounts = facts.ignoredMounts;
    this.os = facts.os;
    this.identity = facts.identity;
    this.longestFirst = mounts.toSorted((a, b) => b.mountPoint.length - a.mountPoint.length);
  }

  close(): Promise<void> {
    return this.whenClosed();
  }

  get kind(): string {
    return this.root.filesystem.kind;
  }

  get uuid(): string {
    return this.root.filesystem.uuid;
  }

  get label(): string {
    return this.root.filesystem.label;
  }

  /** Of all mounts together. */
  get sizeBytes(): number {
    return this.mounts.reduce((total, { filesystem }) => total + filesystem.sizeBytes, 0);
  }

  /** Of the root. What an update needs is to be asked of each mount. */
  freeBytes(): Promise<number> {
    return this.root.filesystem.freeBytes();
  }

  mountOf(path: string): ImageMount {
    return this.longestFirst.find(({ mountPoint }) => isWithin(path, mountPoint)) ?? this.root;
  }

  lstat(path: string): Promise<Stat | undefined> {
    const { filesystem, inside } = this.locate(path);
    return filesystem.lstat(inside);
  }

  /** A mount point shows what is mounted there. */
  async readdir(path: string): Promise<readonly DirectoryEntry[]> {
    const { filesystem, inside } = this.locate(path);
    const entries = await filesystem.readdir(inside);
    const mounted = this.mounts.filter(
      ({ mountPoint }) => mountPoint !== '/' && parentOf(mountPoint) === path,
    );
    if (mounted.length === 0) return entries;
    const roots = await Promise.all(mounted.map((mount) => mountedRoot(mount)));
    const hidden = new Set(roots.map(({ name }) => name));
    return [...entries.filter(({ name }) => !hidden.has(name)), ...roots];
  }

  readlink(path: string): Promise<string> {
    const { filesystem, inside } = this.locate(path);
    return filesystem.readlink(inside);
  }

  readFile(path: string, range?: { offsetBytes: number; lengthBytes: number }): Promise<Uint8Array> {
    const { filesystem, inside } = this.locate(path);
    return filesystem.readFile(inside, range);
  }

  xattrs(path: string): Promise<Xattrs> {
    const { filesystem, inside } = this.locate(path);
    return filesystem.xattrs(inside);
  }

  async *scan(): AsyncIterable<ScannedEntry> {
    for (const mount of this.mounts) {
      for await (const { path, stat } of mount.filesystem.scan()) {
        const imagePath = joined(mount.mountPoint, path);
        if (this.mounts.length === 1 || this.mountOf(imagePath) === mount) yield { path: imagePath, stat };
      }
    }
  }

  private get root(): ImageMount {
    const root = this.mounts[0];
    if (!root) throw new RangeError('An image has a root.');
    return root;
  }

  private locate(path: string): { filesystem: ImageMount['filesystem']; inside: string } {
    const { filesystem, mountPoint } = this.mountOf(path);
    return { filesystem, inside: mountPoint === '/' ? path : path.slice(mountPoint.length) || '/' };
  }
}

async function mountedRoot({ mountPoint, filesystem }: ImageMount): Promise<DirectoryEntry> {
  const stat = await filesystem.lstat('/');
  return {
    name: mountPoint.slice(mountPoint.lastIndexOf('/') + 1),
    inode: stat?.inode ?? 0,
    type: 'directory',
  };
}

function isWithin(path: string, mountPoint: string): boolean {
  return mountPoint === '/' || path === mountPoint || path.startsWith(`${mountPoint}/`);
}

function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/')) || '/';
}

function joined(mountPoint: string, path: string): string {
  if (mountPoint === '/') return path;
  return path === '/' ? mountPoint : mountPoint + path;
}
