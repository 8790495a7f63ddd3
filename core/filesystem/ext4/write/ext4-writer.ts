import { BlockFault } from '../../../block-device/block-fault';
import type { FaultingCache } from '../../../block-device/faulting-cache';
import type {
  DirectoryEntry,
  FilesystemChange,
  FilesystemWriter,
  Metadata,
  ModificationTime,
  NodeType,
  ScannedEntry,
  Stat,
  Xattrs,
} from '../../filesystem';
import { FailedChangeError } from '../../write-errors';
import type { Ext4Reader } from '../ext4-reader';
import type { Superblock } from '../superblock';
import { checkVolume } from './check-volume';
import { setTimes } from './inode-metadata';
import { performChange } from './perform-change';
import { VolumeEdit } from './volume-edit';
import type { WriteSession } from './write-session';

/** Inodes changed in one transaction: few transactions, and little to run again when a block is missing. */
const TIMES_AT_ONCE = 1024;

/**
 * Writes ext4 over a faulting cache. Every operation is one transaction: synchronous code that happens whole or leaves
 * no trace. Reads see what was written. Made by openExt4Writable.
 *
 * There is no clock: a change of a directory does not touch the directory's own times, which setMetadata sets.
 */
export class Ext4Writer implements FilesystemWriter {
  readonly kind: string;
  readonly uuid: string;
  readonly label: string;
  readonly sizeBytes: number;

  constructor(
    private readonly cache: FaultingCache,
    private readonly superblock: Superblock,
    private readonly reader: Ext4Reader,
    private readonly session: WriteSession,
  ) {
    this.kind = reader.kind;
    this.uuid = reader.uuid;
    this.label = reader.label;
    this.sizeBytes = reader.sizeBytes;
  }

  /** @throws NotReplaceableError, NotFoundError, NotADirectoryError, ImmutableFileError, NoSpaceError, XattrError */
  async writeFile(path: string, content: Uint8Array, metadata: Metadata): Promise<void> {
    return this.make({ kind: 'put-file', path, content, metadata });
  }

  /** @throws NotReplaceableError, NotFoundError, NotADirectoryError, ImmutableFileError, NoSpaceError, TooManyLinksError */
  async mkdir(path: string, metadata: Metadata): Promise<void> {
    return this.make({ kind: 'make-directory', path, metadata });
  }

  /** @throws InvalidPathError for a target that is empty, or longer than a block or a path; else as writeFile */
  async symlink(path: string, target: string, metadata: Metadata): Promise<void> {
    return this.make({ kind: 'make-symlink', path, target, metadata });
  }

  /** @throws NotReplaceableError when `existingPath` is a directory; TooManyLinksError; else as writeFile */
  async link(existingPath: string, path: string): Promise<void> {
    return this.make({ kind: 'make-hard-link', path, existingPath });
  }

  /** @throws as writeFile */
  async mknod(
    path: string,
    type: NodeType,
    device: { readonly major: number; readonly minor: number },
    metadata: Metadata,
  ): Promise<void> {
    return this.make({ kind: 'make-node', path, type, device, metadata });
  }

  /** @throws NotFoundError, DirectoryNotEmptyError, NotADirectoryError, ImmutableFileError */
  async remove(path: string): Promise<void> {
    return this.make({ kind: 'remove', path });
  }

  /** @throws NotFoundError, NotADirectoryError, ImmutableFileError, NoSpaceError, XattrError */
  async setMetadata(path: string, metadata: Metadata): Promise<void> {
    return this.make({ kind: 'set-metadata', path, metadata });
  }

  /** One transaction for all: bitmaps, counters and their checksums are written once. @throws FailedChangeError */
  async perform(changes: readonly FilesystemChange[]): Promise<void> {
    await this.change((volume) => {
      for (const [index, change] of changes.entries()) {
        try {
          performChange(volume, change);
        } catch (cause) {
          if (cause instanceof BlockFault) throw cause;
          throw new FailedChangeError(index, change.path, cause);
        }
      }
    });
  }

  /** @throws CorruptFilesystemError */
  async setModificationTimes(times: readonly ModificationTime[]): Promise<void> {
    // Found before anything changes: the reader keeps the directories it has read until then.
    const inodes: { number: number; mtimeNs: bigint }[] = [];
    for (const { path, mtimeNs } of times) {
      const stat = await this.reader.lstat(path);
      if (stat === undefined || stat.immutable || stat.appendOnly || stat.mtimeNs === mtimeNs) continue;
      inodes.push({ number: stat.inode, mtimeNs });
    }
    for (let done = 0; done < inodes.length; done += TIMES_AT_ONCE) {
      await this.change((volume) => {
        for (const { number, mtimeNs } of inodes.slice(done, done + TIMES_AT_ONCE)) {
          setTimes(volume.inode(number), mtimeNs);
        }
      });
    }
  }

  async check(): Promise<readonly string[]> {
    return checkVolume(this.cache, this.superblock, this.session);
  }

  async freeBytes(): Promise<number> {
    return this.reader.freeBytes();
  }

  async lstat(path: string): Promise<Stat | undefined> {
    return this.reader.lstat(path);
  }

  async readdir(path: string): Promise<readonly DirectoryEntry[]> {
    return this.reader.readdir(path);
  }

  async readlink(path: string): Promise<string> {
    return this.reader.readlink(path);
  }

  async readFile(path: string, range?: { offsetBytes: number; lengthBytes: number }): Promise<Uint8Array> {
    return this.reader.readFile(path, range);
  }

  async xattrs(path: string): Promise<Xattrs> {
    return this.reader.xattrs(path);
  }

  scan(): AsyncIterable<ScannedEntry> {
    return this.reader.scan();
  }

  private async make(change: FilesystemChange): Promise<void> {
    return this.change((volume) => performChange(volume, change));
  }

  private async change(operation: (volume: VolumeEdit) => void): Promise<void> {
    await this.cache.transaction((transaction) => {
      const volume = new VolumeEdit(transaction, this.superblock, this.session);
      operation(volume);
      volume.finish();
      volume.remember();
      this.reader.forget();
    });
  }
}
