import type { WritableMount } from '../../core/apply/apply-engine';
import type { ScannedEntry } from '../../core/filesystem/filesystem';
import { type IdentityValues, NO_IDENTITY } from '../../core/image/identity-values';
import type { ImageMount, WritableImage } from '../../core/image/image';
import type { OsIdentity } from '../../core/image/os-identity';
import { MemoryFilesystem } from './memory-filesystem';

export const DEBIAN_12: OsIdentity = {
  id: 'debian',
  versionId: '12',
  name: 'Debian GNU/Linux 12 (bookworm)',
  architecture: 'amd64',
  packageSystem: 'dpkg',
};

/** An image over filesystems in memory: what openWritableImage gives for volumes. Reads see what was written. */
export class MemoryImage implements WritableImage {
  readonly kind = 'memory';
  readonly ignoredMounts = [];
  readonly mounts: readonly (ImageMount & { filesystem: MemoryFilesystem })[];
  readonly writableMounts: readonly (WritableMount & { writer: MemoryFilesystem })[];
  readonly os: OsIdentity;
  readonly identity: IdentityValues;

  constructor(
    root: MemoryFilesystem,
    options: {
      os?: Partial<OsIdentity>;
      identity?: Partial<IdentityValues>;
      /** Further filesystems by mount point; the mount point must be a directory of the root. */
      mounts?: Readonly<Record<string, MemoryFilesystem>>;
    } = {},
  ) {
    this.os = { ...DEBIAN_12, ...options.os };
    this.identity = { ...NO_IDENTITY, ...options.identity };
    this.mounts = Object.entries({ '/': root, ...options.mounts }).map(([mountPoint, filesystem], index) => ({
      mountPoint,
      volumeIds: [`vol-${index}`],
      partition: 1,
      kind: filesystem.kind,
      filesystem,
    }));
    this.writableMounts = this.mounts.map((mount) => ({ ...mount, writer: mount.filesystem }));
  }

  async close() {}
  async reopen() {
    return this;
  }

  get uuid() {
    return this.root.uuid;
  }
  get label() {
    return this.root.label;
  }
  get sizeBytes() {
    return this.root.sizeBytes;
  }

  mountOf(path: string) {
    return this.mounts
      .filter(
        ({ mountPoint }) => mountPoint === '/' || path === mountPoint || path.startsWith(`${mountPoint}/`),
      )
      .reduce((longest, mount) => (mount.mountPoint.length > longest.mountPoint.length ? mount : longest));
  }

  freeBytes() {
    return this.root.freeBytes();
  }
  lstat(path: string) {
    return this.filesystemOf(path).lstat(this.inside(path));
  }
  readdir(path: string) {
    return this.filesystemOf(path).readdir(this.inside(path));
  }
  readlink(path: string) {
    return this.filesystemOf(path).readlink(this.inside(path));
  }
  readFile(path: string, range?: { offsetBytes: number; lengthBytes: number }) {
    return this.filesystemOf(path).readFile(this.inside(path), range);
  }
  xattrs(path: string) {
    return this.filesystemOf(path).xattrs(this.inside(path));
  }

  async *scan(): AsyncIterable<ScannedEntry> {
    for (const mount of this.mounts) {
      for await (const { path, stat } of mount.filesystem.scan()) {
        const full =
          mount.mountPoint === '/' ? path : path === '/' ? mount.mountPoint : mount.mountPoint + path;
        if (this.mountOf(full) === mount) yield { path: full, stat };
      }
    }
  }

  private get root() {
    return this.mounts[0]!.filesystem;
  }
  private filesystemOf(path: string) {
    return this.mountOf(path).filesystem;
  }
  private inside(path: string): string {
    const { mountPoint } = this.mountOf(path);
    return mountPoint === '/' ? path : path.slice(mountPoint.length) || '/';
  }
}
