import { readU32, writeU32 } from '../../../bytes/little-endian';
import { CorruptFilesystemError } from '../../errors';
import { Incompat } from '../features';
import { InodeFlag, S_IFREG } from '../inode';
import { valueHash } from '../value-inode';
import { type ValueInInode, xattrEntryHashOf } from '../xattr';
import type { XattrName } from '../xattr-name';
import { emptyExtentRoot } from './extent-tree';
import { truncateFileBlocks, writeContent } from './file-blocks';
import { allocateInode } from './inode-allocator';
import { InodeEdit } from './inode-edit';
import { retireInode } from './retire-inode';
import type { VolumeEdit } from './volume-edit';

/** Low half of i_version, where an inode of this kind keeps how many entries name it; the high half is its ctime. */
const REFERENCES_OFFSET = 0x24;
const SECOND_NS = 1_000_000_000n;
const OWNER_MAY_ALL = 0o600;

/**
 * Puts a value into an inode of its own (feature ea_inode; kernel fs/ext4/xattr.c). The entry that will name it is not
 * counted yet: countValueReferences does that.
 * @throws NoSpaceError
 */
export function makeValueInode(
  volume: VolumeEdit,
  owner: InodeEdit,
  name: XattrName,
  value: Uint8Array,
): ValueInInode {
  const hash = valueHash(volume.superblock, value);
  const inode = InodeEdit.create(volume, allocateInode(volume, owner.number, false));
  const { fields } = inode;
  fields.mode = S_IFREG | OWNER_MAY_ALL;
  fields.links = 1;
  fields.uid = owner.fields.uid;
  fields.gid = owner.fields.gid;
  fields.flags = InodeFlag.EA_INODE;
  if (volume.superblock.featureIncompat & Incompat.extent) {
    fields.flags |= InodeFlag.EXTENTS;
    fields.block = emptyExtentRoot();
  }
  fields.atimeNs = BigInt.asIntN(32, BigInt(hash)) * SECOND_NS;
  writeContent(volume, inode, value);
  return { inode: inode.number, sizeBytes: value.length, entryHash: xattrEntryHashOf(name, hash) };
}

/** Counts entries that name the inode in or out. With the last it is deleted. @throws CorruptFilesystemError */
export function countValueReferences(volume: VolumeEdit, number: number, delta: number): void {
  const inode = volume.inode(number);
  if ((inode.fields.flags & InodeFlag.EA_INODE) === 0) {
    throw new CorruptFilesystemError('an attribute value in an inode of another kind', { inode: number });
  }
  const references = referencesOf(inode) + delta;
  if (references < 0 || references > 0xffffffff) {
    throw new CorruptFilesystemError('references to an attribute value', { inode: number, references });
  }
  setReferences(inode, references);
  if (references === 0) {
    truncateFileBlocks(volume, inode, 0);
    retireInode(volume, inode);
  }
}

function referencesOf(inode: InodeEdit): number {
  return readU32(inode.readBytes(), REFERENCES_OFFSET);
}

function setReferences(inode: InodeEdit, references: number): void {
  writeU32(inode.editBytes(), REFERENCES_OFFSET, references);
}
