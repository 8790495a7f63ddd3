import type { Digest } from '../chunk-store/chunk-store';
import type { Entry } from '../footprint/read-entry';
import { depthOf } from '../manifest/image-path';
import type { ManifestMetadata, Operation, OperationOf } from '../manifest/manifest-schema';
import type { EntryChange, InodeChange } from './entry-changes';

/**
 * Puts operations in an order in which each is valid when those before it are done: removals first, the deepest first;
 * directories, parents first; content and links; metadata last, because content changes the times of directories.
 */
export function planOperations(
  changes: readonly EntryChange[],
  inodeChanges: readonly InodeChange[],
  recordOperations: readonly OperationOf<'put-record'>[],
): Operation[] {
  const byPath = new Map(changes.map((change) => [change.path, change]));
  const removals: OperationOf<'remove'>[] = [];
  const directories: OperationOf<'make-directory'>[] = [];
  const puts: Operation[] = [];
  const links: Operation[] = [];
  const metadata: OperationOf<'set-metadata'>[] = [];

  for (const change of changes) {
    const { path, before, after } = change;
    if (before !== undefined && (after === undefined || changesKind(change)))
      removals.push(removal(path, before));
    if (after?.stat.type !== 'directory') continue;
    if (before?.stat.type !== 'directory') {
      directories.push({
        kind: 'make-directory',
        path,
        before: 'absent',
        after: after.digest,
        metadata: metadataOf(after),
      });
    } else if (before.digest !== after.digest) {
      metadata.push(metadataChange(path, before, after));
    }
  }
  for (const inodeChange of inodeChanges) {
    const existing = 'leader' in inodeChange ? inodeChange.leader : existingName(inodeChange);
    if (inodeChange.kind === 'put') puts.push(putOperation(byPath.get(existing)!));
    if (inodeChange.kind === 'metadata') {
      for (const name of inodeChange.names) {
        const { before, after } = byPath.get(name)!;
        metadata.push(metadataChange(name, before!, after!));
      }
    }
    for (const path of inodeChange.links) {
      const change = byPath.get(path)!;
      const { digest } = change.after!;
      links.push({
        kind: 'make-hard-link',
        path,
        ...beforeOf(change),
        after: digest,
        existingPath: existing,
      });
    }
  }
  return [
    ...removals.sort((a, b) => depthOf(b.path) - depthOf(a.path) || byPathOrder(a, b)),
    ...directories.sort(byPathOrder),
    ...[...puts, ...recordOperations].sort(copiesLast),
    ...links.sort(byPathOrder),
    ...metadata.sort((a, b) => depthOf(b.path) - depthOf(a.path) || byPathOrder(a, b)),
  ];
}

/** mtime and xattrs as a manifest writes them. */
export function metadataOf({ stat, xattrs }: Entry): ManifestMetadata {
  return {
    mode: stat.mode,
    uid: stat.uid,
    gid: stat.gid,
    mtimeNs: String(stat.mtimeNs),
    xattrs: Object.fromEntries(
      [...xattrs].map(([name, value]) => [name, Buffer.from(value).toString('base64')]),
    ),
  };
}

function existingName(change: Exclude<InodeChange, { kind: 'put' }>): string {
  return change.kind === 'link' ? change.existing : change.names[0]!;
}

/** Whether a directory becomes something else or the reverse: no file system replaces the one by the other. */
function changesKind({ before, after }: EntryChange): boolean {
  return (before?.stat.type === 'directory') !== (after?.stat.type === 'directory');
}

function beforeOf(change: EntryChange): { before: Digest | 'absent'; beforeSizeBytes?: number } {
  const { before } = change;
  if (before === undefined || changesKind(change)) return { before: 'absent' };
  return { before: before.digest, ...sizeOf(before) };
}

function sizeOf({ stat }: Entry): { beforeSizeBytes?: number } {
  return stat.type === 'file' ? { beforeSizeBytes: stat.sizeBytes } : {};
}

function removal(path: string, before: Entry): OperationOf<'remove'> {
  return { kind: 'remove', path, before: before.digest, ...sizeOf(before), after: 'absent' };
}

function metadataChange(path: string, before: Entry, after: Entry): OperationOf<'set-metadata'> {
  return {
    kind: 'set-metadata',
    path,
    before: before.digest,
    ...sizeOf(before),
    after: after.digest,
    metadata: metadataOf(after),
  };
}

function putOperation(change: EntryChange): Operation {
  const after = change.after!;
  const { stat } = after;
  const common = { path: change.path, ...beforeOf(change), after: after.digest, metadata: metadataOf(after) };
  switch (stat.type) {
    case 'file':
      return { kind: 'put-file', ...common, content: after.content!, sizeBytes: stat.sizeBytes };
    case 'symlink':
      return { kind: 'make-symlink', ...common, target: after.target! };
    case 'character-device':
    case 'block-device':
    case 'fifo':
    case 'socket':
      return { kind: 'make-node', ...common, type: stat.type, device: stat.device ?? { major: 0, minor: 0 } };
    case 'directory':
      throw new TypeError(`${change.path} is a directory and has no inode change`);
  }
}

function byPathOrder(a: { path: string }, b: { path: string }): number {
  return a.path < b.path ? -1 : a.path > b.path ? 1 : 0;
}

/** A copy is made of what its original has become. */
function copiesLast(a: Operation, b: Operation): number {
  const isCopy = (operation: Operation): number =>
    operation.kind === 'put-record' && operation.copyOf !== undefined ? 1 : 0;
  return isCopy(a) - isCopy(b) || byPathOrder(a, b);
}
