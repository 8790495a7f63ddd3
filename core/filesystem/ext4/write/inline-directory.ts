import { readU32 } from '../../../bytes/little-endian';
import { CorruptFilesystemError } from '../../errors';
import { parseInlineRecords, type RawDirectoryEntry } from '../directory';
import { Incompat } from '../features';
import { hasInlineData, isInlineTail } from '../inline-data';
import { InodeFlag } from '../inode';
import { parseInodeXattrs, writeInodeXattrs } from '../xattr';
import { emptyExtentRoot } from './extent-tree';
import type { InodeEdit } from './inode-edit';
import type { VolumeEdit } from './volume-edit';

/** The number of the parent directory, in the place of an entry `..`. */
const PARENT_BYTES = 4;

export function isInlineDirectory(inode: InodeEdit): boolean {
  return inode.isDirectory && hasInlineData(inode.fields);
}

/** What a directory that has no blocks keeps in its inode. */
export interface InlineDirectory {
  readonly parent: number;
  /** Without `.` and `..`; names are copies. */
  readonly entries: readonly RawDirectoryEntry[];
}

/** @throws CorruptFilesystemError */
export function readInlineDirectory(inode: InodeEdit): InlineDirectory {
  const tail = parseInodeXattrs(inode.readBytes(), inode.fields.extraIsize).find(isInlineTail);
  if (tail === undefined || tail.inInode) {
    throw new CorruptFilesystemError('inline data without its attribute', { inode: inode.number });
  }
  const { block } = inode.fields;
  const entries = [block.subarray(PARENT_BYTES), tail.value]
    .flatMap((piece) => parseInlineRecords(piece))
    .filter((entry) => entry.inode !== 0)
    .map((entry) => ({ ...entry, name: new Uint8Array(entry.name) }));
  return { parent: readU32(block, 0), entries };
}

/** Empties an inline directory's inode, so that it can have blocks. What it held is in `readInlineDirectory` before. */
export function leaveInline(volume: VolumeEdit, inode: InodeEdit): void {
  const { fields } = inode;
  const others = parseInodeXattrs(inode.readBytes(), fields.extraIsize).filter(
    (entry) => !isInlineTail(entry),
  );
  writeInodeXattrs(inode.editBytes(), fields.extraIsize, others);
  fields.flags &= ~InodeFlag.INLINE_DATA;
  fields.sizeBytes = 0;
  const hasExtents = (volume.superblock.featureIncompat & Incompat.extent) !== 0;
  if (hasExtents) fields.flags |= InodeFlag.EXTENTS;
  fields.block = hasExtents ? emptyExtentRoot() : new Uint8Array(fields.block.length);
}
