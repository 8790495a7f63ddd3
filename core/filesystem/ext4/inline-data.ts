import { CorruptFilesystemError } from '../errors';
import { Incompat } from './features';
import { InodeFlag, type Inode } from './inode';
import type { VolumeReader } from './volume-reader';
import { parseInodeXattrs, type XattrEntry } from './xattr';

/** Attribute namespace `system.`, which only the kernel itself writes. */
const SYSTEM_INDEX = 7;
const DATA = new TextEncoder().encode('data');

/** Where the content of a small file or directory stands when it has no blocks (feature inline_data). */
export interface InlineData {
  /** The 60 bytes of i_block. */
  readonly head: Uint8Array;
  /** What follows: the value of the attribute `system.data` within the inode. */
  readonly tail: Uint8Array;
}

export function hasInlineData(inode: Inode): boolean {
  return (inode.flags & InodeFlag.INLINE_DATA) !== 0;
}

/** Whether an attribute is the rest of the inode's content, not an attribute of the file. */
export function isInlineTail({ nameIndex, suffix }: Pick<XattrEntry, 'nameIndex' | 'suffix'>): boolean {
  return nameIndex === SYSTEM_INDEX && Buffer.compare(suffix, DATA) === 0;
}

/**
 * The two places of an inode with the INLINE_DATA flag (kernel Documentation/filesystems/ext4/inlinedata.rst).
 * @throws CorruptFilesystemError
 */
export function inlineData(volume: VolumeReader, number: number, inode: Inode): InlineData {
  if ((volume.superblock.featureIncompat & Incompat.inline_data) === 0) {
    throw new CorruptFilesystemError('inline data on a volume without the feature', { inode: number });
  }
  const entry = parseInodeXattrs(volume.inodeBytes(number), inode.extraIsize).find(isInlineTail);
  if (!entry || entry.inInode) {
    throw new CorruptFilesystemError('inline data without its attribute', { inode: number });
  }
  return { head: inode.block, tail: entry.value };
}

/**
 * The content of an inline file or symbolic link, whole. What its size counts beyond the two places is zeros.
 * @throws CorruptFilesystemError
 */
export function inlineContent(volume: VolumeReader, number: number, inode: Inode): Uint8Array {
  const { head, tail } = inlineData(volume, number, inode);
  if (inode.sizeBytes > volume.superblock.blockSize) {
    throw new CorruptFilesystemError('size of inline data', { inode: number, sizeBytes: inode.sizeBytes });
  }
  const content = new Uint8Array(Math.max(inode.sizeBytes, head.length + tail.length));
  content.set(head);
  content.set(tail, head.length);
  return content.subarray(0, inode.sizeBytes);
}
