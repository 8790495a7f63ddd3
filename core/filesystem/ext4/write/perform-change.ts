import type { FilesystemChange, Metadata } from '../../filesystem';
import { typeOfMode } from '../../file-mode';
import {
  DirectoryNotEmptyError,
  InvalidPathError,
  NotFoundError,
  NotReplaceableError,
} from '../../write-errors';
import { serializeDeviceNumber } from '../device-number';
import { isEmptyDirectory, removeEntry } from './directory-edit';
import { fillDirectory, fillFile, fillSymlink } from './fill-inode';
import type { InodeEdit } from './inode-edit';
import { setOwnerAndTimes } from './inode-metadata';
import { addLink, assertRoomForSubdirectory, countSubdirectory, dropLink } from './link-counts';
import { makeInode } from './make-inode';
import { nameInode } from './name-inode';
import { assertChangeable, assertNotProtected, assertReplaceable, assertSameProject } from './protection';
import { releaseInode } from './release-inode';
import { resolveInode, resolvePlace } from './resolve';
import type { VolumeEdit } from './volume-edit';
import { setXattrs } from './xattr-edit';

/** PATH_MAX. */
const MOST_PATH_BYTES = 4096;

type ChangeOf<K extends FilesystemChange['kind']> = Extract<FilesystemChange, { kind: K }>;

/** Makes one change within an operation; what earlier changes of the operation made is there. */
export function performChange(volume: VolumeEdit, change: FilesystemChange): void {
  switch (change.kind) {
    case 'put-file':
      return putFile(volume, change);
    case 'make-directory':
      return makeDirectory(volume, change);
    case 'make-symlink':
      return makeSymlink(volume, change);
    case 'make-hard-link':
      return makeHardLink(volume, change);
    case 'make-node':
      return makeNode(volume, change);
    case 'remove':
      return remove(volume, change.path);
    case 'set-metadata':
      return applyMetadata(volume, resolveInode(volume, change.path), change.path, change.metadata);
  }
}

function putFile(volume: VolumeEdit, { path, content, metadata }: ChangeOf<'put-file'>): void {
  const place = resolvePlace(volume, path);
  assertReplaceable(place, 'file');
  makeInode(volume, place, 'file', metadata, fillFile(volume, content));
}

function makeDirectory(volume: VolumeEdit, { path, metadata }: ChangeOf<'make-directory'>): void {
  if (path === '/') {
    return applyMetadata(volume, resolveInode(volume, path), path, metadata);
  }
  const place = resolvePlace(volume, path);
  assertReplaceable(place, 'directory');
  if (place.inode !== undefined) {
    applyMetadata(volume, place.inode, path, metadata);
    return;
  }
  assertRoomForSubdirectory(volume, place.parent, path);
  makeInode(volume, place, 'directory', metadata, fillDirectory(volume, place.parent));
}

function makeSymlink(volume: VolumeEdit, { path, target, metadata }: ChangeOf<'make-symlink'>): void {
  // Its terminating zero counts: the kernel reads at most one block of it, and takes no longer path.
  const most = Math.min(volume.superblock.blockSize, MOST_PATH_BYTES);
  if (target === '' || target.includes('\0') || Buffer.byteLength(target) >= most) {
    throw new InvalidPathError(target, 'a symbolic link cannot hold it');
  }
  const place = resolvePlace(volume, path);
  assertReplaceable(place, 'symlink');
  makeInode(volume, place, 'symlink', metadata, fillSymlink(volume, target));
}

function makeHardLink(volume: VolumeEdit, { path, existingPath }: ChangeOf<'make-hard-link'>): void {
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
}

function makeNode(volume: VolumeEdit, { path, type, device, metadata }: ChangeOf<'make-node'>): void {
  const place = resolvePlace(volume, path);
  assertReplaceable(place, type);
  makeInode(volume, place, type, metadata, (inode) => {
    if (type === 'character-device' || type === 'block-device') {
      inode.fields.block = serializeDeviceNumber(device);
    }
  });
}

function remove(volume: VolumeEdit, path: string): void {
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
}

function applyMetadata(volume: VolumeEdit, inode: InodeEdit, path: string, metadata: Metadata): void {
  assertNotProtected(inode, path, true);
  setOwnerAndTimes(inode, metadata);
  setXattrs(volume, inode, metadata.xattrs, path);
}
