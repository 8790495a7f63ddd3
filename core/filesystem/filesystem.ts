/**
 * The seam between what is on a disk and everything above it. The vocabulary is node:fs's.
 *
 * Paths are absolute within the filesystem, start with `/`, have no trailing slash and are never followed through
 * symbolic links. Names are decoded by `decodeName` (core/bytes/names.ts), so that names that are not UTF-8 survive.
 */
export type FileType =
  'file' | 'directory' | 'symlink' | 'character-device' | 'block-device' | 'fifo' | 'socket';

/** What lstat(2) says of one inode. */
export interface Stat {
  readonly inode: number;
  readonly type: FileType;
  /** The twelve permission bits (07777); the type is in `type`. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly sizeBytes: number;
  readonly links: number;
  readonly mtimeNs: bigint;
  readonly ctimeNs: bigint;
  /** For devices only. */
  readonly device?: { readonly major: number; readonly minor: number };
  /** chattr +i and +a: such a file cannot be changed by an update either. */
  readonly immutable: boolean;
  readonly appendOnly: boolean;
}

export interface DirectoryEntry {
  readonly name: string;
  readonly inode: number;
  readonly type: FileType;
}

/** Extended attributes by full name (`security.capability`, `user.x`, `system.posix_acl_access` in the form getxattr(2) gives). */
export type Xattrs = ReadonlyMap<string, Uint8Array>;

export interface ScannedEntry {
  readonly path: string;
  readonly stat: Stat;
}

export interface FilesystemReader {
  readonly kind: string;
  readonly uuid: string;
  readonly label: string;
  readonly sizeBytes: number;
  /** Bytes that an ordinary file may still take. */
  freeBytes(): Promise<number>;
  /** Undefined when nothing stands at the path. */
  lstat(path: string): Promise<Stat | undefined>;
  /** Without `.` and `..`, in no particular order. */
  readdir(path: string): Promise<readonly DirectoryEntry[]>;
  readlink(path: string): Promise<string>;
  /**
   * The whole content, or the half-open byte range [offset, offset + length) cut at the end of the file. Holes read as
   * zeros. It may be shared with a cache: the caller must not change it.
   */
  readFile(path: string, range?: { offsetBytes: number; lengthBytes: number }): Promise<Uint8Array>;
  xattrs(path: string): Promise<Xattrs>;
  /** Every path, a parent before its children, `/` first. Far fewer block reads than a walk. */
  scan(): AsyncIterable<ScannedEntry>;
}

/** Owner, mode, times and attributes that a write gives its inode. `ctime` is always `mtime`: no clock in core. */
export interface Metadata {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly mtimeNs: bigint;
  readonly xattrs: Xattrs;
}

/** When the content of an entry last changed. */
export interface ModificationTime {
  readonly path: string;
  readonly mtimeNs: bigint;
}

/** One change of one filesystem, with everything decided; what each does is said of the writer's method of that name. */
export type FilesystemChange =
  | {
      readonly kind: 'put-file';
      readonly path: string;
      readonly content: Uint8Array;
      readonly metadata: Metadata;
    }
  | { readonly kind: 'make-directory'; readonly path: string; readonly metadata: Metadata }
  | {
      readonly kind: 'make-symlink';
      readonly path: string;
      readonly target: string;
      readonly metadata: Metadata;
    }
  | { readonly kind: 'make-hard-link'; readonly path: string; readonly existingPath: string }
  | {
      readonly kind: 'make-node';
      readonly path: string;
      readonly type: NodeType;
      readonly device: { readonly major: number; readonly minor: number };
      readonly metadata: Metadata;
    }
  | { readonly kind: 'remove'; readonly path: string }
  | { readonly kind: 'set-metadata'; readonly path: string; readonly metadata: Metadata };

export type NodeType = 'character-device' | 'block-device' | 'fifo' | 'socket';

/**
 * A filesystem that can be changed. Each operation is atomic: it happens whole, or throws and leaves no trace.
 * Whatever stands at the path is replaced as rename(2) would replace it (a new inode; other hard links keep the old
 * one); a directory is never replaced by a non-directory nor the reverse: that throws NotReplaceableError.
 */
export interface FilesystemWriter extends FilesystemReader {
  writeFile(path: string, content: Uint8Array, metadata: Metadata): Promise<void>;
  /** When a directory stands there already, only its metadata is set. */
  mkdir(path: string, metadata: Metadata): Promise<void>;
  symlink(path: string, target: string, metadata: Metadata): Promise<void>;
  /** Makes `path` a further name of the inode at `existingPath`. */
  link(existingPath: string, path: string): Promise<void>;
  mknod(
    path: string,
    type: NodeType,
    device: { readonly major: number; readonly minor: number },
    metadata: Metadata,
  ): Promise<void>;
  /** unlink(2), or rmdir(2) for an empty directory. */
  remove(path: string): Promise<void>;
  setMetadata(path: string, metadata: Metadata): Promise<void>;
  /**
   * Several changes as one: all happen or none does, which costs much less than each for itself.
   * @throws FailedChangeError that says which change it was, with what that threw as its cause
   */
  perform(changes: readonly FilesystemChange[]): Promise<void>;
  /**
   * Sets times and nothing else, of many entries at once. Where nothing stands, or what stands there is immutable or
   * append-only, nothing is done. The one operation that is not atomic as a whole: each entry's change is.
   */
  setModificationTimes(times: readonly ModificationTime[]): Promise<void>;
  /** Structural check of everything this writer touched: empty when all is consistent. */
  check(): Promise<readonly string[]>;
}
