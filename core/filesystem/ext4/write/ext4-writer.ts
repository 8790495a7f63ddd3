import type { FaultingCache } from '../../../block-device/faulting-cache';
import type {
  DirectoryEntry,
  FilesystemWriter,
  Metadata,
  ModificationTime,
  ScannedEntry,
  Stat,
  Xattrs,
} from '../../filesystem';
import {
  DirectoryNotEmptyError,
  InvalidPathError,
  NotFoundError,
  NotReplaceableError,
} from '../../write-errors';
import { serializeDeviceNumber } from '../device-number';
import type { Ext4Reader } from '../ext4-reader';
import { typeOfMode } from '../../file-mode';
import type { Superblock } from '../superblock';
import { checkVolume } from './check-volume';
import { isEmptyDirectory, removeEntry } from './directory-edit';
import type { InodeEdit } from './inode-edit';
import { fillDirectory, fillFile, fillSymlink } from './fill-inode';
import { setOwnerAndTimes, setTimes } from './inode-metadata';
import { addLink, assertRoomForSubdirectory, countSubdirectory, dropLink } from './link-counts';
import { makeInode } from './make-inode';
import { nameInode } from './name-inode';
import { assertChangeable, assertNotProtected, assertReplaceable, assertSameProject } from './protection';
import { releaseInode } from './release-inode';
import { resolveInode, resolvePlace } from './resolve';
import { VolumeEdit } from './volume-edit';
import type { WriteSession } from './write-session';
import { setXattrs } from './xattr-edit';

/** PATH_MAX. */
const MOST_PATH_BYTES = 4096;
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
    return this.change((volume) => {
      const place = resolvePlace(volume, path);
      assertReplaceable(place, 'file');
      makeInode(volume, place, 'file', metadata, fillFile(volume, content));
    });
  }

  /** @throws NotReplaceableError, NotFoundError, NotADirectoryError, ImmutableFileError, NoSpaceError, TooManyLinksError */
  async mkdir(path: string, metadata: Metadata): Promise<void> {
    if (path === '/') {
      return this.setMetadata(path, metadata);
    }
    return this.change((volume) => {
      const place = resolvePlace(volume, path);
      assertReplaceable(place, 'directory');
      if (place.inode !== undefined) {
        applyMetadata(volume, place.inode, path, metadata);
        return;
      }
      assertRoomForSubdirectory(volume, place.parent, path);
      makeInode(volume, place, 'directory', metadata, fillDirectory(volume, place.parent));
    });
  }

  /** @throws InvalidPathError for a target that is empty, or longer than a block or a path; else as writeFile */
  async symlink(path: string, target: string, metadata: Metadata): Promise<void> {
    return this.change((volume) => {
      // Its terminating zero counts: the kernel reads at most one block of it, and takes no longer path.
      const most = Math.min(this.superblock.blockSize, MOST_PATH_BYTES);
      if (target === '' || target.includes('\0') || Buffer.byteLength(target) >= most) {
        throw new InvalidPathError(target, 'a symbolic link cannot hold it');
      }
      const place = resolvePlace(volume, path);
      assertReplaceable(place, 'symlink');
      makeInode(volume, place, 'symlink', metadata, fillSymlink(volume, target));
    });
  }

  /** @throws NotReplaceableError when `existingPath` is a directory; TooManyLinksError; else as writeFile */
  async link(existingPath: string, path: string): Promise<void> {
    return this.change((volume) => {
      const existing = resolveInode(volume, existingPath);
      const place = resolvePlace(volume, path);
      if (existing.isDirectory) {
        throw new NotReplaceableError(path, 'name', 'further name of a directory');
      }
      if (place.inode === existing) {
        return;
      }
      const type = typeOfMode(existing.fields.mode, existing.number);
      assertReplaceable(place, type);
      assertChangeable(place);
      assertNotProtected(existing, existingPath, true);
      assertSameProject(place.parent, existing, path);
      addLink(existing, path);
      if (place.inode !== undefined) {
        dropLink(volume, place.inode);
      }
      nameInode(volume, place, existing.number, type);
    });
  }

  /** @throws as writeFile */
  async mknod(
    path: string,
    type: 'character-device' | 'block-device' | 'fifo' | 'socket',
    device: { major: number; minor: number },
    metadata: Metadata,
  ): Promise<void> {
    return this.change((volume) => {
      const place = resolvePlace(volume, path);
      assertReplaceable(place, type);
      makeInode(volume, place, type, metadata, (inode) => {
        if (type === 'character-device' || type === 'block-device') {
          inode.fields.block = serializeDeviceNumber(device);
        }
      });
    });
  }

  /** @throws NotFoundError, DirectoryNotEmptyError, NotADirectoryError, ImmutableFileError */
  async remove(path: string): Promise<void> {
    return this.change((volume) => {
      const place = resolvePlace(volume, path);
      const { found, inode, parent } = place;
      if (found === undefined || inode === undefined) {
        throw new NotFoundError(path);
      }
      assertChangeable(place);
      if (inode.isDirectory) {
        if (!isEmptyDirectory(volume, inode)) {
          throw new DirectoryNotEmptyError(path);
        }
        volume.forgetDirectory(path);
        countSubdirectory(parent, -1);
        releaseInode(volume, inode);
      } else {
        dropLink(volume, inode);
      }
      removeEntry(volume, parent, found);
    });
  }

  /** @throws NotFoundError, NotADirectoryError, ImmutableFileError, NoSpaceError, XattrError */
  async setMetadata(path: string, metadata: Metadata): Promise<void> {
    return this.change((volume) => applyMetadata(volume, resolveInode(volume, path), path, metadata));
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

function applyMetadata(volume: VolumeEdit, inode: InodeEdit, path: string, metadata: Metadata): void {
  assertNotProtected(inode, path, true);
  setOwnerAndTimes(inode, metadata);
  setXattrs(volume, inode, metadata.xattrs, path);
}
