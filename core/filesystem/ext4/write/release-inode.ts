import { hasInlineData } from '../inline-data';
import { InodeFlag } from '../inode';
import { dropXattrs } from './drop-xattrs';
import { truncateFileBlocks } from './file-blocks';
import type { InodeEdit } from './inode-edit';
import { retireInode } from './retire-inode';
import type { VolumeEdit } from './volume-edit';

/** Gives back everything the inode holds but its number. */
export function releaseContent(volume: VolumeEdit, inode: InodeEdit): void {
  truncateFileBlocks(volume, inode, 0);
  dropXattrs(volume, inode);
  if (hasInlineData(inode.fields)) {
    inode.fields.flags &= ~InodeFlag.INLINE_DATA;
    inode.fields.block = new Uint8Array(inode.fields.block.length);
  }
}

/** Deletes an inode that has no name left, as the kernel leaves it behind. */
export function releaseInode(volume: VolumeEdit, inode: InodeEdit): void {
  releaseContent(volume, inode);
  retireInode(volume, inode);
}
