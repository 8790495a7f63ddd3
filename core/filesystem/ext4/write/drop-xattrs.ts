import { writeXattrReferences } from '../xattr';
import { freeRun } from './block-allocator';
import type { InodeEdit } from './inode-edit';
import type { VolumeEdit } from './volume-edit';
import { heldXattrs, readXattrBlock, settleValues } from './xattr-claims';

/** Gives up all attributes of an inode that goes away. What stands in its own bytes goes with them. */
export function dropXattrs(volume: VolumeEdit, inode: InodeEdit): void {
  const held = heldXattrs(volume, inode);
  dropXattrBlock(volume, inode);
  settleValues(volume, inode, held, { inside: [], block: undefined });
}

/** Gives up the inode's claim on its attribute block. */
export function dropXattrBlock(volume: VolumeEdit, inode: InodeEdit): void {
  const number = inode.fields.xattrBlock;
  if (number === 0) {
    return;
  }
  const { references } = readXattrBlock(volume, number);
  if (references > 1) {
    writeXattrReferences(volume.editBlock(number), references - 1, volume.superblock, number);
  } else {
    freeRun(volume, { start: number, count: 1 });
  }
  inode.addBlocks(-1);
  inode.fields.xattrBlock = 0;
}
