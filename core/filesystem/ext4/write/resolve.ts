import { encodeName } from '../../../bytes/names';
import { CorruptFilesystemError } from '../../errors';
import { NotADirectoryError, NotFoundError } from '../../write-errors';
import { ROOT_INODE } from '../inode';
import { namesOf } from '../../path-names';
import { findEntry, type FoundEntry } from './directory-edit';
import type { InodeEdit } from './inode-edit';
import { splitPath } from './paths';
import type { VolumeEdit } from './volume-edit';

/** What stands at a path, and the directory that it stands or would stand in. */
export interface Place {
  readonly path: string;
  readonly name: Uint8Array;
  readonly parent: InodeEdit;
  /** Undefined when nothing stands there. */
  readonly found: FoundEntry | undefined;
  readonly inode: InodeEdit | undefined;
}

/**
 * @throws NotFoundError when a directory on the way is missing
 * @throws NotADirectoryError when something on the way is no directory; symbolic links are not followed
 */
export function resolvePlace(volume: VolumeEdit, path: string): Place {
  const { parent: parentPath, name } = splitPath(path);
  const parent = resolveDirectory(volume, parentPath);
  const found = findEntry(volume, parent, name);
  return { path, name, parent, found, inode: found && namedInode(volume, found.inode) };
}

/** The inode at a path, the root included. @throws NotFoundError */
export function resolveInode(volume: VolumeEdit, path: string): InodeEdit {
  if (path === '/') {
    return volume.inode(ROOT_INODE);
  }
  const { inode } = resolvePlace(volume, path);
  if (inode === undefined) {
    throw new NotFoundError(path);
  }
  return inode;
}

function resolveDirectory(volume: VolumeEdit, path: string): InodeEdit {
  const known = volume.knownDirectory(path);
  if (known !== undefined) {
    return volume.inode(known);
  }
  let directory = volume.inode(ROOT_INODE);
  let walked = '';
  for (const name of namesOf(path)) {
    walked += `/${name}`;
    const found = findEntry(volume, directory, encodeName(name));
    if (found === undefined) {
      throw new NotFoundError(walked);
    }
    directory = namedInode(volume, found.inode);
    if (!directory.isDirectory) {
      throw new NotADirectoryError(walked);
    }
    volume.learnDirectory(walked, directory.number);
  }
  return directory;
}

/** An inode that a directory entry names: never one that the volume keeps for itself, never one that is free. */
function namedInode(volume: VolumeEdit, number: number): InodeEdit {
  if (number < volume.superblock.firstInode) {
    throw new CorruptFilesystemError('a directory entry of a reserved inode', { inode: number });
  }
  const inode = volume.inode(number);
  if (inode.fields.links === 0) {
    throw new CorruptFilesystemError('a directory entry of a deleted inode', { inode: number });
  }
  return inode;
}
