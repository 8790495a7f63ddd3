import { CorruptFilesystemError } from '../errors';
import type { Xattrs } from '../filesystem';
import { aclFromDisk } from './acl';
import type { Inode } from './inode';
import { readValueInode } from './value-inode';
import type { VolumeReader } from './volume-reader';
import { parseInodeXattrs, parseXattrBlock, verifyXattrBlock, type XattrEntry } from './xattr';
import { ACL_INDEXES, fullXattrName } from './xattr-name';

/** More than any program keeps. Entries of a hostile image could all name one large inode. */
const MAX_VALUES_BYTES = 64 * 1024 * 1024;

/** Attributes of a file as stored: those in the inode first, then those of its attribute block. */
function storedXattrs(volume: VolumeReader, number: number, inode: Inode): XattrEntry[] {
  const inside = parseInodeXattrs(volume.inodeBytes(number), inode.extraIsize);
  if (inode.xattrBlock === 0) return inside;
  const block = volume.block(inode.xattrBlock);
  verifyXattrBlock(block, volume.superblock, inode.xattrBlock);
  return [...inside, ...parseXattrBlock(block).entries];
}

/**
 * Attributes of a file by full name, with the values that getxattr(2) gives. What the kernel keeps among them for
 * itself, and shows to nobody, is left out.
 * @throws CorruptFilesystemError
 */
export function fileXattrs(volume: VolumeReader, number: number, inode: Inode): Xattrs {
  const xattrs = new Map<string, Uint8Array>();
  let bytes = 0;
  for (const entry of storedXattrs(volume, number, inode)) {
    const name = fullXattrName(entry);
    if (name === undefined) continue;
    const value = entry.inInode ? readValueInode(volume, entry.inInode, { number, inode }) : entry.value;
    bytes += value.length;
    if (bytes > MAX_VALUES_BYTES) {
      throw new CorruptFilesystemError('more extended attributes than any file has', { inode: number });
    }
    xattrs.set(name, ACL_INDEXES.has(entry.nameIndex) ? aclFromDisk(value) : value);
  }
  return xattrs;
}
