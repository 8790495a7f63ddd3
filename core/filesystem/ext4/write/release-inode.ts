import { InodeFlag, S_IFLNK, S_IFMT } from '../inode';
import { emptyExtentRoot } from './extent-tree';
import { truncateFileBlocks } from './file-blocks';
import { freeInode } from './inode-allocator';
import type { InodeEdit } from './inode-edit';
import type { VolumeEdit } from './volume-edit';
import { dropXattrBlock } from './xattr-edit';

/** Gives back everything the inode holds but its number. */
export function releaseContent(volume: VolumeEdit, inode: InodeEdit): void {
  truncateFileBlocks(volume, inode, 0);
  dropXattrBlock(volume, inode);
}

/** Deletes an inode that has no name left, as the kernel leaves it behind. */
export function releaseInode(volume: VolumeEdit, inode: InodeEdit): void {
  releaseContent(volume, inode);
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
