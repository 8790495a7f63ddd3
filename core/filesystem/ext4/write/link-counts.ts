import { TooManyLinksError } from '../../write-errors';
import { RoCompat } from '../features';
import { InodeFlag } from '../inode';
import type { InodeEdit } from './inode-edit';
import { releaseInode } from './release-inode';
import type { VolumeEdit } from './volume-edit';

const MOST_LINKS = 65_000;

/** A further name for an inode. @throws TooManyLinksError */
export function addLink(inode: InodeEdit, path: string): void {
  if (inode.fields.links >= MOST_LINKS) {
    throw new TooManyLinksError(path, inode.fields.links);
  }
  inode.fields.links += 1;
  inode.isChanged = true;
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
