import type { Digest } from '../chunk-store/chunk-store';
import { digestOf } from '../chunk-store/digest';
import type { FileType, Xattrs } from '../filesystem/filesystem';

/** Everything of an entry that an update can change and that a machine can notice, times aside. */
export interface EntryFacts {
  readonly type: FileType;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly xattrs: Xattrs;
  /** Of a file; `undefined` for a record file, whose content is compared by record. */
  readonly content?: Digest;
  /** Of a symbolic link. */
  readonly target?: string;
  /** Of a device. */
  readonly device?: { readonly major: number; readonly minor: number };
}

/**
 * The digest by which two machines are said to have the same entry at a path. Times, inode numbers and link counts are
 * not part of it, nor are the permission bits of a symbolic link, which mean nothing.
 */
export function entryDigest(entry: EntryFacts): Digest {
  const xattrs = [...entry.xattrs]
    .map(([name, value]) => [name, Buffer.from(value).toString('base64')] as const)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  const canonical = JSON.stringify([
    entry.type,
    entry.type === 'symlink' ? 0o777 : entry.mode,
    entry.uid,
    entry.gid,
    xattrs,
    entry.content ?? null,
    entry.target ?? null,
    entry.device === undefined ? null : [entry.device.major, entry.device.minor],
  ]);
  return digestOf(new TextEncoder().encode(canonical));
}
