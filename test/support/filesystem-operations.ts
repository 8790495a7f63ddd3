import type { ApplyEngine, ResolvedOperation, WritableMount } from '../../core/apply/apply-engine';
import type { FilesystemChange, FilesystemWriter, Metadata } from '../../core/filesystem/filesystem';
import { FailedChangeError } from '../../core/filesystem/write-errors';

/** Metadata as JSON: attribute values in hex, times as text. */
export interface OperationMetadata {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly mtimeNs: string;
  readonly xattrs: Readonly<Record<string, string>>;
}

/** In base64, or a pattern that a seed makes. */
export type FileContent = { content: string } | { seed: number; lengthBytes: number };

/** One operation of an engine, as data that apply-operations.py can do through the kernel as well. */
export type FilesystemOperation =
  | ({ operation: 'writeFile'; path: string; metadata: OperationMetadata } & FileContent)
  | { operation: 'mkdir'; path: string; metadata: OperationMetadata }
  | { operation: 'symlink'; path: string; target: string; metadata: OperationMetadata }
  | { operation: 'link'; existingPath: string; path: string }
  | {
      operation: 'mknod';
      path: string;
      type: 'character-device' | 'block-device' | 'fifo' | 'socket';
      major: number;
      minor: number;
      metadata: OperationMetadata;
    }
  | { operation: 'remove'; path: string }
  | { operation: 'setMetadata'; path: string; metadata: OperationMetadata }
  | { operation: 'setTime'; path: string; mtimeNs: string };

/** What kind of answer an operation got: `ok`, or why not, in words that errors and error numbers share. */
export type Outcome = string;

const OUTCOME_OF_ERRNO: Readonly<Record<string, Outcome>> = {
  ENOENT: 'no such path',
  ENOTDIR: 'no such path',
  EISDIR: 'not replaceable',
  EEXIST: 'not replaceable',
  ENOTEMPTY: 'not empty',
  EPERM: 'protected',
  ENOSPC: 'no space',
};

const OUTCOME_OF_ERROR: Readonly<Record<string, Outcome>> = {
  NotFoundError: 'no such path',
  NotADirectoryError: 'no such path',
  NotReplaceableError: 'not replaceable',
  DirectoryNotEmptyError: 'not empty',
  ImmutableFileError: 'protected',
  NoSpaceError: 'no space',
  XattrError: 'no space',
};

export function kernelOutcome(answer: string): Outcome {
  return OUTCOME_OF_ERRNO[answer] ?? answer;
}

/** Has an engine perform one operation on a filesystem mounted at the root. An error that is no outcome is thrown. */
export async function performByEngine(
  engine: ApplyEngine,
  mounts: readonly WritableMount[],
  operation: FilesystemOperation,
): Promise<Outcome> {
  try {
    await engine.perform(mounts, one(resolvedOperation(operation)));
    return 'ok';
  } catch (error) {
    const { cause } = error as { cause?: { name?: string } };
    const outcome = OUTCOME_OF_ERROR[cause?.name ?? ''];
    if (outcome === undefined) throw error;
    return outcome;
  }
}

/**
 * Has a writer make changes in transactions of up to `most` of them. One that cannot be made undoes those with it, which
 * are then made without it. An error that is no outcome is thrown.
 */
export async function performTogether(
  writer: FilesystemWriter,
  operations: readonly FilesystemOperation[],
  most: number,
): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  while (outcomes.length < operations.length) {
    const changes = changesFrom(operations, outcomes.length, most);
    if (changes.length === 0) {
      const { path, mtimeNs } = operations[outcomes.length] as { path: string; mtimeNs: string };
      await writer.setModificationTimes([{ path, mtimeNs: BigInt(mtimeNs) }]);
      outcomes.push('ok');
      continue;
    }
    try {
      await writer.perform(changes);
      outcomes.push(...changes.map(() => 'ok'));
    } catch (error) {
      if (!(error instanceof FailedChangeError)) throw error;
      const outcome = OUTCOME_OF_ERROR[(error.cause as { name?: string }).name ?? ''];
      if (outcome === undefined) throw error;
      if (error.index > 0) await writer.perform(changes.slice(0, error.index));
      outcomes.push(...changes.slice(0, error.index).map(() => 'ok'), outcome);
    }
  }
  return outcomes;
}

/** Changes from an operation on, up to the next that sets times. */
function changesFrom(
  operations: readonly FilesystemOperation[],
  first: number,
  most: number,
): FilesystemChange[] {
  const changes: FilesystemChange[] = [];
  for (const operation of operations.slice(first, first + most)) {
    const change = resolvedOperation(operation);
    if (change.kind === 'set-time') break;
    changes.push(change);
  }
  return changes;
}

async function* one<T>(item: T): AsyncIterable<T> {
  yield item;
}

/** The content that a writeFile operation stands for. */
export function contentOf(file: FileContent): Uint8Array {
  if ('content' in file) return Buffer.from(file.content, 'base64');
  const { seed, lengthBytes } = file;
  const word = Buffer.alloc(4);
  word.writeUInt32LE(seed);
  return Buffer.alloc(lengthBytes, word);
}

export function metadataOf({ xattrs, mtimeNs, ...rest }: OperationMetadata): Metadata {
  return {
    ...rest,
    mtimeNs: BigInt(mtimeNs),
    xattrs: new Map(Object.entries(xattrs).map(([name, hex]) => [name, Buffer.from(hex, 'hex')])),
  };
}

export function resolvedOperation(operation: FilesystemOperation): ResolvedOperation {
  const { path } = operation;
  switch (operation.operation) {
    case 'writeFile':
      return {
        kind: 'put-file',
        path,
        content: contentOf(operation),
        metadata: metadataOf(operation.metadata),
      };
    case 'mkdir':
      return { kind: 'make-directory', path, metadata: metadataOf(operation.metadata) };
    case 'symlink': {
      const { target, metadata } = operation;
      return { kind: 'make-symlink', path, target, metadata: metadataOf(metadata) };
    }
    case 'link':
      return { kind: 'make-hard-link', path, existingPath: operation.existingPath };
    case 'mknod': {
      const { type, major, minor, metadata } = operation;
      return { kind: 'make-node', path, type, device: { major, minor }, metadata: metadataOf(metadata) };
    }
    case 'remove':
      return { kind: 'remove', path };
    case 'setMetadata':
      return { kind: 'set-metadata', path, metadata: metadataOf(operation.metadata) };
    case 'setTime':
      return { kind: 'set-time', path, mtimeNs: BigInt(operation.mtimeNs) };
  }
}
