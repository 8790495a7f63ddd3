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
  // There is no clock here: the last time the volume itself knows of does as well, as long as it is not zero.
  fields.dtime = Math.max(1, volume.superblock.writeTime);
  inode.isChanged = true;
}
