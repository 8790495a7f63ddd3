import type { ResolvedOperation } from '../core/apply/apply-engine';
import { placeOf } from '../core/apply/direct-engine';
import { ApplyError } from '../core/apply/apply-errors';
import type { KernelMount } from '../core/filesystem/linux-kernel';
import type { Metadata } from '../core/filesystem/filesystem';

/** One operation as the guest's agent takes it (kernel-engine/guest/operations.py). */
export interface GuestOperation {
  readonly message: object;
  readonly content?: Uint8Array;
}

/** Finds the filesystem that holds the operation's path. @throws ApplyError */
export function guestOperation(operation: ResolvedOperation, mounts: readonly KernelMount[]): GuestOperation {
  const { mount, inside } = placeOf(mounts, operation.path);
  const base = { op: operation.kind, mount: mounts.indexOf(mount), path: inside };
  switch (operation.kind) {
    case 'put-file':
      return { message: { ...base, ...fields(operation.metadata) }, content: operation.content };
    case 'make-directory':
    case 'set-metadata':
      return { message: { ...base, ...fields(operation.metadata) } };
    case 'make-symlink':
      return { message: { ...base, target: operation.target, ...fields(operation.metadata) } };
    case 'make-node':
      return {
        message: { ...base, type: operation.type, ...operation.device, ...fields(operation.metadata) },
      };
    case 'set-time':
      return { message: { ...base, mtime: String(operation.mtimeNs) } };
    case 'remove':
      return { message: base };
    case 'make-hard-link': {
      const existing = placeOf(mounts, operation.existingPath);
      if (existing.mount !== mount) {
        throw new ApplyError(operation, `${operation.existingPath} is on another filesystem of this machine`);
      }
      return { message: { ...base, existing: existing.inside } };
    }
  }
}

function fields({ mode, uid, gid, mtimeNs, xattrs }: Metadata): object {
  return {
    mode: mode & 0o7777,
    uid,
    gid,
    mtime: String(mtimeNs),
    xattrs: [...xattrs].map(([name, value]) => [name, Buffer.from(value).toString('hex')]),
  };
}
