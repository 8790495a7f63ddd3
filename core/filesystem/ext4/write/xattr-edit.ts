import type { Xattrs } from '../../filesystem';
import { UnsupportedFeatureError } from '../../errors';
import { XattrError } from '../../write-errors';
import { aclToDisk } from '../acl';
import { Compat } from '../features';
import {
  blockXattrCapacity,
  inodeXattrCapacity,
  parseInodeXattrs,
  parseXattrBlock,
  serializeXattrBlock,
  verifyXattrBlock,
  writeInodeXattrs,
  writeXattrReferences,
  xattrBytes,
  type XattrBlock,
  type XattrEntry,
} from '../xattr';
import { ACL_INDEXES, splitXattrName } from '../xattr-name';
import { allocateBlocks, freeRun } from './block-allocator';
import { groupOfInode } from './geometry';
import type { InodeEdit } from './inode-edit';
import type { VolumeEdit } from './volume-edit';

/** Most inodes that the kernel lets share one attribute block. */
const MOST_REFERENCES = 1024;

/**
 * Gives the inode exactly these attributes: within the inode as far as they fit, the rest in a block of its own, or in
 * `shared`, a block that holds just them.
 *
 * @throws XattrError when they do not fit or a name is in no namespace of ext4
 */
export function setXattrs(
  volume: VolumeEdit,
  inode: InodeEdit,
  xattrs: Xattrs,
  path: string,
  shared?: number,
): void {
  const { superblock } = volume;
  const entries = [...xattrs].map(([name, value]) => toEntry(name, value, path));
  if (entries.length > 0 && (superblock.featureCompat & Compat.ext_attr) === 0) {
    throw new UnsupportedFeatureError(['extended attributes on a volume without ext_attr'], 'write');
  }
  const { inside, outside } = place(volume, inode, entries, path);
  const { extraIsize } = inode.fields;
  if (inodeXattrCapacity(superblock, extraIsize) > 0 && !holdsInside(inode, inside)) {
    writeInodeXattrs(inode.editBytes(), extraIsize, inside);
  }
  setBlock(volume, inode, outside, shared);
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

/** @throws CorruptFilesystemError */
export function readXattrBlock(volume: VolumeEdit, number: number): XattrBlock {
  const bytes = volume.readBlock(number);
  verifyXattrBlock(bytes, volume.superblock, number);
  return parseXattrBlock(bytes);
}

function setBlock(
  volume: VolumeEdit,
  inode: InodeEdit,
  entries: readonly XattrEntry[],
  shared: number | undefined,
): void {
  const current = inode.fields.xattrBlock;
  if (entries.length === 0) {
    dropXattrBlock(volume, inode);
    return;
  }
  const old = current === 0 ? undefined : readXattrBlock(volume, current);
  if (old !== undefined && isSame(old.entries, entries)) {
    return;
  }
  if (old?.references === 1) {
    volume.writeBlocks(current, serializeXattrBlock(entries, 1, volume.superblock, current));
    return;
  }
  // Others hold the old block as well: they keep it, and this inode gets another.
  dropXattrBlock(volume, inode);
  inode.fields.xattrBlock = shareBlock(volume, entries, shared) ?? makeBlock(volume, inode, entries);
  inode.addBlocks(1);
}

function shareBlock(
  volume: VolumeEdit,
  entries: readonly XattrEntry[],
  shared: number | undefined,
): number | undefined {
  if (shared === undefined) {
    return undefined;
  }
  const { references, entries: found } = readXattrBlock(volume, shared);
  if (references >= MOST_REFERENCES || !isSame(found, entries)) {
    return undefined;
  }
  writeXattrReferences(volume.editBlock(shared), references + 1, volume.superblock, shared);
  return shared;
}

function makeBlock(volume: VolumeEdit, inode: InodeEdit, entries: readonly XattrEntry[]): number {
  const [run] = allocateBlocks(volume, 1, groupOfInode(volume.superblock, inode.number));
  volume.writeBlocks(run!.start, serializeXattrBlock(entries, 1, volume.superblock, run!.start));
  return run!.start;
}

/** Divides attributes between inode and block: all inside if they fit, else the largest outside as far as needed. */
function place(
  volume: VolumeEdit,
  inode: InodeEdit,
  entries: readonly XattrEntry[],
  path: string,
): { inside: XattrEntry[]; outside: XattrEntry[] } {
  const { superblock } = volume;
  const inodeRoom = inodeXattrCapacity(superblock, inode.fields.extraIsize);
  const bySize = [...entries].sort((a, b) => xattrBytes([a]) - xattrBytes([b]));
  const inside: XattrEntry[] = [];
  const outside: XattrEntry[] = [];
  for (const entry of bySize) {
    (xattrBytes([...inside, entry]) <= inodeRoom ? inside : outside).push(entry);
  }
  if (outside.length > 0 && xattrBytes(outside) > blockXattrCapacity(superblock.blockSize)) {
    throw new XattrError(path, `${xattrBytes(entries)} bytes are more than inode and block take`);
  }
  return { inside, outside };
}

function toEntry(name: string, value: Uint8Array, path: string): XattrEntry {
  const split = splitXattrName(name);
  if (split === undefined || split.suffix.length > 255) {
    throw new XattrError(path, `ext4 keeps no attribute of the name ${name}`);
  }
  const stored = ACL_INDEXES.has(split.nameIndex) ? storedAcl(value, path) : value;
  return { ...split, value: stored };
}

function storedAcl(value: Uint8Array, path: string): Uint8Array {
  try {
    return aclToDisk(value);
  } catch (cause) {
    throw new XattrError(path, 'an ACL is not in the form that getxattr gives', { cause });
  }
}

function holdsInside(inode: InodeEdit, entries: readonly XattrEntry[]): boolean {
  return isSame(parseInodeXattrs(inode.readBytes(), inode.fields.extraIsize), entries);
}

function isSame(a: readonly XattrEntry[], b: readonly XattrEntry[]): boolean {
  return (
    a.length === b.length &&
    a.every((entry) =>
      b.some(
        (other) =>
          other.nameIndex === entry.nameIndex &&
          Buffer.compare(other.suffix, entry.suffix) === 0 &&
          Buffer.compare(other.value, entry.value) === 0,
      ),
    )
  );
}
