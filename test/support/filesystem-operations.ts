import type { FilesystemWriter, Metadata } from '../../core/filesystem/filesystem';
import { ImageElvesError } from '../../core/errors';

/** Metadata as JSON: attribute values in hex, times as text. */
export interface OperationMetadata {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly mtimeNs: string;
  readonly xattrs: Readonly<Record<string, string>>;
}

/** One call of a FilesystemWriter, as data that apply-operations.py can do through the kernel as well. */
export type FilesystemOperation =
  | { operation: 'writeFile'; path: string; seed: number; lengthBytes: number; metadata: OperationMetadata }
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
  | { operation: 'setMetadata'; path: string; metadata: OperationMetadata };

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

/** Outcomes as apply-operations.py printed them. */
export function kernelOutcomes(output: string): Outcome[] {
  return output
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => OUTCOME_OF_ERRNO[line] ?? line);
}

export async function performOperation(
  filesystem: FilesystemWriter,
  operation: FilesystemOperation,
): Promise<Outcome> {
  try {
    await dispatch(filesystem, operation);
    return 'ok';
  } catch (error) {
    const outcome = error instanceof ImageElvesError ? OUTCOME_OF_ERROR[error.name] : undefined;
    if (outcome === undefined) {
      throw error;
    }
    return outcome;
  }
}

/** The content that a writeFile operation stands for. */
export function contentOf({ seed, lengthBytes }: { seed: number; lengthBytes: number }): Uint8Array {
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

async function dispatch(filesystem: FilesystemWriter, operation: FilesystemOperation): Promise<void> {
  switch (operation.operation) {
    case 'writeFile':
      return filesystem.writeFile(operation.path, contentOf(operation), metadataOf(operation.metadata));
    case 'mkdir':
      return filesystem.mkdir(operation.path, metadataOf(operation.metadata));
    case 'symlink':
      return filesystem.symlink(operation.path, operation.target, metadataOf(operation.metadata));
    case 'link':
      return filesystem.link(operation.existingPath, operation.path);
    case 'mknod':
      return filesystem.mknod(
        operation.path,
        operation.type,
        { major: operation.major, minor: operation.minor },
        metadataOf(operation.metadata),
      );
    case 'remove':
      return filesystem.remove(operation.path);
    case 'setMetadata':
      return filesystem.setMetadata(operation.path, metadataOf(operation.metadata));
  }
}
