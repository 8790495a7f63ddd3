import { InodeFlag, S_IFLNK, S_IFMT } from '../inode';
import { emptyExtentRoot } from './extent-tree';
import { freeInode } from './inode-allocator';
import type { InodeEdit } from './inode-edit';
import type { VolumeEdit } from './volume-edit';

/** Gives back the number of an inode that holds nothing any more, and marks it as deleted. */
export function retireInode(volume: VolumeEdit, inode: InodeEdit): void {
  freeInode(volume, inode.number, inode.isDirectory);
  const { fields } = inode;
  fields.links = 0;
  fields.sizeBytes = 0;
  if ((fields.mode & S_IFMT) === S_IFLNK) {
    fields.block = fields.flags & InodeFlag.EXTENTS ? emptyExtentRoot() : new Uint8Array(60);
  }
  // There is no clock here: the last time the volume itself knows of does as well. It may know of none, and what is less
  // than the number of inodes e2fsck takes for a link of the orphan list.
  fields.dtime = Math.max(volume.superblock.inodesCount, volume.superblock.writeTime);
  inode.isChanged = true;
}
