import { CorruptFilesystemError } from '../errors';
import type { Xattrs } from '../filesystem';
import { aclFromDisk } from './acl';
import type { Inode } from './inode';
import type { VolumeReader } from './volume-reader';
import { parseInodeXattrs, parseXattrBlock, verifyXattrBlock, type XattrEntry } from './xattr';
import { ACL_INDEXES, fullXattrName } from './xattr-name';

/** Attributes of a file as stored: those in the inode first, then those of its attribute block. */
function storedXattrs(volume: VolumeReader, number: number, inode: Inode): XattrEntry[] {
  const inside = parseInodeXattrs(volume.inodeBytes(number), inode.extraIsize);
  if (inode.xattrBlock === 0) return inside;
  const block = volume.block(inode.xattrBlock);
  verifyXattrBlock(block, volume.superblock, inode.xattrBlock);
  return [...inside, ...parseXattrBlock(block).entries];
}

/** Attributes of a file by full name, with the values that getxattr(2) gives. @throws CorruptFilesystemError */
export function fileXattrs(volume: VolumeReader, number: number, inode: Inode): Xattrs {
  const xattrs = new Map<string, Uint8Array>();
  for (const entry of storedXattrs(volume, number, inode)) {
    if (entry.valueInode !== 0) {
      throw new CorruptFilesystemError('attribute value in an inode without the ea_inode feature', {
        inode: number,
      });
    }
    const name = fullXattrName(entry);
    xattrs.set(name, ACL_INDEXES.has(entry.nameIndex) ? aclFromDisk(entry.value) : entry.value);
  }
  return xattrs;
}
