import { CorruptFilesystemError } from '../../errors';
import type { FileType, Metadata } from '../../filesystem';
import { Incompat } from '../features';
import { InodeFlag, S_IFBLK, S_IFCHR, S_IFDIR, S_IFIFO, S_IFLNK, S_IFREG, S_IFSOCK } from '../inode';
import { emptyExtentRoot } from './extent-tree';
import type { FillInode } from './fill-inode';
import { allocateInode } from './inode-allocator';
import { InodeEdit } from './inode-edit';
import { setOwnerAndTimes } from './inode-metadata';
import { dropLink } from './link-counts';
import { nameInode } from './name-inode';
import { assertChangeable } from './protection';
import { releaseContent } from './release-inode';
import type { Place } from './resolve';
import type { VolumeEdit } from './volume-edit';
import { readXattrBlock } from './xattr-claims';
import { setXattrs } from './xattr-edit';

const MODE_OF_TYPE: Readonly<Record<FileType, number>> = {
  file: S_IFREG,
  directory: S_IFDIR,
  symlink: S_IFLNK,
  'character-device': S_IFCHR,
  'block-device': S_IFBLK,
  fifo: S_IFIFO,
  socket: S_IFSOCK,
};

/**
 * Flags that a new inode takes over from its directory, as in the kernel: in a directory all of them, in a file all but
 * dirsync and that of the project, in anything else nodump and noatime.
 */
const INHERITED_BY_FILES = 0x1 | 0x2 | 0x4 | 0x8 | 0x40 | 0x80 | 0x400 | 0x4000 | 0x8000;
const INHERITED_BY_DIRECTORIES = INHERITED_BY_FILES | 0x10000 | InodeFlag.PROJINHERIT;
const INHERITED_BY_OTHERS = 0x40 | 0x80;

/**
 * Puts a new inode at a place, instead of what stands there. When that has no other name, its number is used again:
 * then neither directory nor bitmap has to change.
 */
export function makeInode(
  volume: VolumeEdit,
  place: Place,
  type: FileType,
  metadata: Metadata,
  fill: FillInode,
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
  fields.flags = parent.fields.flags & inheritedBy(type);
  fields.projectId = parent.fields.flags & InodeFlag.PROJINHERIT ? parent.fields.projectId : 0;
  if (type === 'file' || isDirectory || type === 'symlink') {
    useExtents(volume, inode);
  }
  fill(inode);
  setOwnerAndTimes(inode, metadata);
  fields.atimeNs = fields.mtimeNs;
  fields.crtimeNs = fields.mtimeNs;
  setXattrs(volume, inode, metadata.xattrs, path, shareable);
  nameInode(volume, place, number, type);
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

function inheritedBy(type: FileType): number {
  if (type === 'directory') {
    return INHERITED_BY_DIRECTORIES;
  }
  return type === 'file' ? INHERITED_BY_FILES : INHERITED_BY_OTHERS;
}

function useExtents(volume: VolumeEdit, inode: InodeEdit): void {
  if (volume.superblock.featureIncompat & Incompat.extent) {
    inode.fields.flags |= InodeFlag.EXTENTS;
    inode.fields.block = emptyExtentRoot();
  }
}
