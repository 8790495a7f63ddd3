import { encodeName } from '../../../bytes/names';
import { CorruptFilesystemError, UnsupportedFeatureError } from '../../errors';
import type { FileType, Metadata } from '../../filesystem';
import { ImmutableFileError, NotReplaceableError, TooManyLinksError } from '../../write-errors';
import { EntryType } from '../directory';
import { Incompat, RoCompat } from '../features';
import { typeOfMode } from '../file-type';
import { InodeFlag, S_IFBLK, S_IFCHR, S_IFDIR, S_IFIFO, S_IFLNK, S_IFREG, S_IFSOCK } from '../inode';
import { addEntry, setEntry, startDirectory } from './directory-edit';
import { emptyExtentRoot } from './extent-tree';
import { writeContent } from './file-blocks';
import { allocateInode } from './inode-allocator';
import { InodeEdit } from './inode-edit';
import { releaseContent, releaseInode } from './release-inode';
import type { Place } from './resolve';
import type { VolumeEdit } from './volume-edit';
import { readXattrBlock, setXattrs } from './xattr-edit';

const MODE_OF_TYPE: Readonly<Record<FileType, number>> = {
  file: S_IFREG,
  directory: S_IFDIR,
  symlink: S_IFLNK,
  'character-device': S_IFCHR,
  'block-device': S_IFBLK,
  fifo: S_IFIFO,
  socket: S_IFSOCK,
};

/** Flags a new inode takes over from its directory, as in the kernel: sync, nodump, noatime and what belongs to them. */
const INHERITED_FLAGS = 0x1 | 0x2 | 0x4 | 0x8 | 0x40 | 0x80 | 0x400 | 0x4000 | 0x8000;
/** Of those, what only makes sense in a directory (dirsync). */
const DIRECTORY_ONLY_FLAGS = 0x10000;
/** A file with more bytes than this needs the feature large_file. */
const MOST_SMALL_FILE_BYTES = 2 ** 31 - 1;
const MOST_LINKS = 65_000;
const SECOND_NS = 1_000_000_000n;
const EARLIEST_NS = -(2n ** 31n) * SECOND_NS;
const LATEST_OLD_NS = (2n ** 31n - 1n) * SECOND_NS;
const LATEST_NS = 0x3_7fff_ffffn * SECOND_NS;
/** Bytes after the first 128 of an inode that hold the further bits of mtime. */
const MTIME_EXTRA_END = 12;
/** Symbolic links of fewer bytes are kept in i_block. */
const FAST_SYMLINK_BYTES = 60;

/**
 * Puts a new inode at a place, instead of what stands there. When that has no other name, its number is used again:
 * then neither directory nor bitmap has to change.
 */
export function makeInode(
  volume: VolumeEdit,
  place: Place,
  type: FileType,
  metadata: Metadata,
  fill: (inode: InodeEdit) => void,
): void {
  const { parent, path } = place;
  assertChangeable(place);
  const isDirectory = type === 'directory';
  const shareable = place.inode && blockThatStays(volume, place.inode);
  const number = takeNumber(volume, place, type);
  const inode = InodeEdit.create(volume, number);
  const { fields } = inode;
  fields.mode = MODE_OF_TYPE[type] | (metadata.mode & 0o7777);
  fields.links = isDirectory ? 2 : 1;
  fields.flags = parent.fields.flags & (INHERITED_FLAGS | (isDirectory ? DIRECTORY_ONLY_FLAGS : 0));
  if (type === 'file' || isDirectory || type === 'symlink') {
    useExtents(volume, inode);
  }
  fill(inode);
  setTimes(inode, metadata);
  fields.atimeNs = fields.mtimeNs;
  fields.crtimeNs = fields.mtimeNs;
  setXattrs(volume, inode, metadata.xattrs, path, shareable);
  nameInode(volume, place, number, type);
}

export function fillFile(volume: VolumeEdit, content: Uint8Array): (inode: InodeEdit) => void {
  const hasLargeFiles = (volume.superblock.featureRoCompat & RoCompat.large_file) !== 0;
  if (content.length > MOST_SMALL_FILE_BYTES && !hasLargeFiles) {
    throw new UnsupportedFeatureError(['files of 2 GiB on a volume without large_file'], 'write');
  }
  return (inode) => writeContent(volume, inode, content);
}

export function fillSymlink(volume: VolumeEdit, target: string): (inode: InodeEdit) => void {
  const bytes = encodeName(target);
  return (inode) => {
    if (bytes.length >= FAST_SYMLINK_BYTES) {
      writeContent(volume, inode, bytes);
      return;
    }
    inode.fields.flags &= ~InodeFlag.EXTENTS;
    inode.fields.block = new Uint8Array(60);
    inode.fields.block.set(bytes);
    inode.fields.sizeBytes = bytes.length;
  };
}

export function fillDirectory(volume: VolumeEdit, parent: InodeEdit): (inode: InodeEdit) => void {
  return (inode) => {
    startDirectory(volume, inode, parent.number, entryType(volume, 'directory'));
    countSubdirectory(parent, 1);
  };
}

/** Owner, permissions and times. */
export function setTimes(inode: InodeEdit, metadata: Metadata): void {
  const { fields } = inode;
  fields.mode = (fields.mode & ~0o7777) | (metadata.mode & 0o7777);
  fields.uid = metadata.uid;
  fields.gid = metadata.gid;
  fields.mtimeNs = storableTime(inode, metadata.mtimeNs);
  fields.ctimeNs = fields.mtimeNs;
  inode.isChanged = true;
}

/** The nearest time that the inode can hold, as the kernel takes it: to 2038, or with further bits to 2446. */
function storableTime(inode: InodeEdit, timeNs: bigint): bigint {
  const hasExtraBits = inode.fields.extraIsize >= MTIME_EXTRA_END;
  const latest = hasExtraBits ? LATEST_NS : LATEST_OLD_NS;
  if (timeNs < EARLIEST_NS) {
    return EARLIEST_NS;
  }
  return timeNs > latest ? latest : timeNs;
}

/** Lets the name at a place mean this inode, which takes the link that is meant for it. */
export function nameInode(volume: VolumeEdit, place: Place, number: number, type: FileType): void {
  const target = { inode: number, type: entryType(volume, type) };
  if (place.found === undefined) {
    addEntry(volume, place.parent, { name: place.name, ...target });
  } else {
    setEntry(volume, place.parent, place.found, target);
  }
}

/** Takes one name from an inode, and deletes it with its last. */
export function dropLink(volume: VolumeEdit, inode: InodeEdit): void {
  if (inode.fields.links > 1) {
    inode.fields.links -= 1;
    inode.isChanged = true;
  } else {
    releaseInode(volume, inode);
  }
}

/** A further name for an inode. @throws TooManyLinksError */
export function addLink(inode: InodeEdit, path: string): void {
  if (inode.fields.links >= MOST_LINKS) {
    throw new TooManyLinksError(path, inode.fields.links);
  }
  inode.fields.links += 1;
  inode.isChanged = true;
}

/**
 * Counts a subdirectory in or out. With dir_nlink an indexed directory of too many has a count of 1, for good.
 */
export function countSubdirectory(parent: InodeEdit, delta: 1 | -1): void {
  const { fields } = parent;
  parent.isChanged = true;
  if (fields.links === 1) {
    return;
  }
  fields.links += delta;
  if (fields.links > MOST_LINKS) {
    fields.links = 1;
  }
}

/** @throws TooManyLinksError when the parent can take no further subdirectory */
export function assertRoomForSubdirectory(volume: VolumeEdit, parent: InodeEdit, path: string): void {
  const mayOverflow =
    (volume.superblock.featureRoCompat & RoCompat.dir_nlink) !== 0 &&
    (parent.fields.flags & InodeFlag.INDEX) !== 0;
  if (parent.fields.links >= MOST_LINKS && !mayOverflow) {
    throw new TooManyLinksError(path, parent.fields.links);
  }
}

/** @throws ImmutableFileError when chattr protects what stands at the place, or its directory */
export function assertChangeable(place: Place): void {
  assertNotProtected(place.parent, place.path, place.found !== undefined);
  if (place.inode !== undefined) {
    assertNotProtected(place.inode, place.path, true);
  }
}

/** @param takesAway whether something would be changed that append-only protects */
export function assertNotProtected(inode: InodeEdit, path: string, takesAway: boolean): void {
  if (inode.fields.flags & InodeFlag.IMMUTABLE) {
    throw new ImmutableFileError(path, 'immutable');
  }
  if (takesAway && inode.fields.flags & InodeFlag.APPEND) {
    throw new ImmutableFileError(path, 'append-only');
  }
}

/** What stands there makes room as with rename(2). @throws NotReplaceableError between directories and others */
export function assertReplaceable(place: Place, type: FileType): void {
  if (place.inode === undefined) {
    return;
  }
  const found = typeOfMode(place.inode.fields.mode, place.inode.number);
  if ((found === 'directory') !== (type === 'directory')) {
    throw new NotReplaceableError(place.path, found, type);
  }
}

/** The number in a directory entry that says the type; 0 on volumes that do not keep it. */
export function entryType(volume: VolumeEdit, type: FileType): number {
  return volume.superblock.featureIncompat & Incompat.filetype ? EntryType[type] : 0;
}

function takeNumber(volume: VolumeEdit, place: Place, type: FileType): number {
  const old = place.inode;
  if (old === undefined) {
    return allocateInode(volume, place.parent.number, type === 'directory');
  }
  if (old.isDirectory || type === 'directory') {
    throw new CorruptFilesystemError('a directory that was to be replaced', { inode: old.number });
  }
  if (old.fields.links === 1) {
    releaseContent(volume, old);
    return old.number;
  }
  dropLink(volume, old);
  return allocateInode(volume, place.parent.number, false);
}

/** The attribute block of an inode that is about to lose a name, if somebody will hold that block afterwards. */
function blockThatStays(volume: VolumeEdit, inode: InodeEdit): number | undefined {
  const { xattrBlock, links } = inode.fields;
  if (xattrBlock === 0) {
    return undefined;
  }
  return links > 1 || readXattrBlock(volume, xattrBlock).references > 1 ? xattrBlock : undefined;
}

function useExtents(volume: VolumeEdit, inode: InodeEdit): void {
  if (volume.superblock.featureIncompat & Incompat.extent) {
    inode.fields.flags |= InodeFlag.EXTENTS;
    inode.fields.block = emptyExtentRoot();
  }
}
