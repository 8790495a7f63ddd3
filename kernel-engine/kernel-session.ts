import pLimit from 'p-limit';
import { CorruptFilesystemError } from '../core/filesystem/errors';
import type { FileType } from '../core/filesystem/filesystem';
import type { KernelReading } from '../core/filesystem/linux-kernel';
import { WrongFileTypeError } from '../core/filesystem/read-errors';
import { NotADirectoryError, NotFoundError } from '../core/filesystem/write-errors';
import type { GuestMessage } from './guest-port';
import { KernelReader, type ReaderFacts } from './kernel-reader';
import { GuestFailure, type Machine } from './machine';

/** A machine that answers questions about its filesystems, one at a time, until it is closed. */
export class KernelSession implements KernelReading {
  readonly filesystems: readonly KernelReader[];
  private readonly oneByOne = pLimit(1);

  /** @param explained makes the error that is thrown of one that the machine threw */
  constructor(
    private readonly machine: Machine,
    facts: readonly ReaderFacts[],
    private readonly explained: (error: unknown) => unknown,
  ) {
    machine.rest();
    this.filesystems = facts.map(
      (fact, index) => new KernelReader(fact, index, (request) => this.ask(request)),
    );
  }

  close(): Promise<void> {
    return this.machine.close();
  }

  private ask(request: { readonly read: string } & Record<string, unknown>): Promise<GuestMessage> {
    return this.oneByOne(async () => {
      try {
        return await this.machine.ask({ do: 'read', ...request });
      } catch (error) {
        throw readError(error, request) ?? this.explained(error);
      } finally {
        this.machine.rest();
      }
    });
  }
}

const EXPECTED: Readonly<Record<string, FileType>> = { file: 'file', link: 'symlink' };

/** As the other readers say it; undefined for what is no fault of the filesystem. */
function readError(
  error: unknown,
  { read, path }: { readonly read: string; readonly path?: unknown },
): Error | undefined {
  if (!(error instanceof GuestFailure) || typeof path !== 'string') return undefined;
  const expected = EXPECTED[read];
  if (error.what === 'wrong-type' && expected !== undefined) {
    return new WrongFileTypeError(path, expected, error.detail as FileType);
  }
  switch (error.facts.errno) {
    case 'ENOENT':
      return new NotFoundError(path);
    case 'ENOTDIR':
      return read === 'list' ? new NotADirectoryError(path) : new NotFoundError(path);
    case 'EUCLEAN':
    case 'EBADMSG':
    case 'ELOOP':
      return new CorruptFilesystemError(`the kernel says of ${path}: ${error.detail}`, { path });
    default:
      return undefined;
  }
}
