import type { Xattrs } from '../../filesystem';
import { UnsupportedFeatureError } from '../../errors';
import { XattrError } from '../../write-errors';
import { aclToDisk } from '../acl';
import { Compat, Incompat } from '../features';
import { S_IFLNK, S_IFMT } from '../inode';
import type { Superblock } from '../superblock';
import { MAX_VALUE_BYTES, readValueInode } from '../value-inode';
import {
  blockXattrCapacity,
  inodeXattrCapacity,
  serializeXattrBlock,
  writeInodeXattrs,
  writeXattrReferences,
  xattrBytes,
  type XattrEntry,
} from '../xattr';
import { ACL_INDEXES, fullXattrName, splitXattrName } from '../xattr-name';
import { allocateBlocks } from './block-allocator';
import { dropXattrBlock } from './drop-xattrs';
import { groupOfInode } from './geometry';
import type { InodeEdit } from './inode-edit';
import { makeValueInode } from './value-inodes';
import type { VolumeEdit } from './volume-edit';
import { type HeldXattrs, heldXattrs, readXattrBlock, settleValues } from './xattr-claims';

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
  const held = heldXattrs(volume, inode);
  const entries = [...xattrs].map(([name, value]) => toEntry(name, value, path));
  if (entries.length > 0 && (superblock.featureCompat & Compat.ext_attr) === 0) {
    throw new UnsupportedFeatureError(['extended attributes on a volume without ext_attr'], 'write');
  }
  const { inside, outside } = place(volume, inode, held, entries, path);
  const { extraIsize } = inode.fields;
  if (inodeXattrCapacity(superblock, extraIsize) > 0 && !isSame(held.inside, inside)) {
    writeInodeXattrs(inode.editBytes(), extraIsize, inside);
  }
  setBlock(volume, inode, outside, shared);
  settleValues(volume, inode, held, heldXattrs(volume, inode));
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

interface Placed {
  readonly inside: XattrEntry[];
  readonly outside: XattrEntry[];
}

/**
 * Divides attributes between inode and block: all inside if they fit, else the largest outside as far as needed. What
 * the kernel keeps there for itself stays where it is. Where that is too much, ea_inode lets the longest values go to
 * inodes of their own; those that are there already stay.
 */
function place(
  volume: VolumeEdit,
  inode: InodeEdit,
  held: HeldXattrs,
  wanted: readonly XattrEntry[],
  path: string,
): Placed {
  const kept = {
    inside: held.inside.filter(isKernels),
    outside: held.block?.entries.filter(isKernels) ?? [],
  };
  const mayMove = (volume.superblock.featureIncompat & Incompat.ea_inode) !== 0;
  const entries = mayMove ? wanted.map((entry) => storedAlready(volume, inode, held, entry)) : [...wanted];
  for (;;) {
    const placed = divide(volume.superblock, inode, kept, entries);
    if (placed !== undefined) {
      return placed;
    }
    const longest = indexOfLongest(entries);
    if (!mayMove || longest === undefined) {
      throw new XattrError(path, `${xattrBytes(entries)} bytes are more than inode and block take`);
    }
    const { value, ...name } = entries[longest]!;
    entries[longest] = {
      ...name,
      value: new Uint8Array(),
      inInode: makeValueInode(volume, inode, name, value),
    };
  }
}

function divide(
  superblock: Superblock,
  inode: InodeEdit,
  kept: Placed,
  entries: readonly XattrEntry[],
): Placed | undefined {
  const inodeRoom = inodeXattrCapacity(superblock, inode.fields.extraIsize);
  const bySize = [...entries].sort((a, b) => xattrBytes([a]) - xattrBytes([b]));
  const inside = [...kept.inside];
  const outside = [...kept.outside];
  // e2fsck takes the target of a short link for block numbers when it has sectors, and no attribute block to explain them.
  const mustBeOutside = (entry: XattrEntry): boolean =>
    entry.inInode !== undefined && (inode.fields.mode & S_IFMT) === S_IFLNK;
  for (const entry of bySize) {
    const fitsInside = xattrBytes([...inside, entry]) <= inodeRoom && !mustBeOutside(entry);
    (fitsInside ? inside : outside).push(entry);
  }
  const fits = outside.length === 0 || xattrBytes(outside) <= blockXattrCapacity(superblock.blockSize);
  return fits ? { inside, outside } : undefined;
}

/** The entry as it is stored, if its value stands in an inode already. */
function storedAlready(
  volume: VolumeEdit,
  inode: InodeEdit,
  held: HeldXattrs,
  entry: XattrEntry,
): XattrEntry {
  const owner = { number: inode.number, inode: inode.fields };
  const stored = [...held.inside, ...(held.block?.entries ?? [])].find(
    (other) =>
      isSameName(other, entry) &&
      other.inInode?.sizeBytes === entry.value.length &&
      Buffer.compare(readValueInode(volume.reader, other.inInode, owner), entry.value) === 0,
  );
  return stored ?? entry;
}

function indexOfLongest(entries: readonly XattrEntry[]): number | undefined {
  let longest: number | undefined;
  entries.forEach(({ value }, index) => {
    if (value.length > (longest === undefined ? 0 : entries[longest]!.value.length)) longest = index;
  });
  return longest;
}

/** Whether an attribute is the kernel's own (inline data, encryption, verity): nobody sets it by a system call. */
function isKernels(entry: XattrEntry): boolean {
  return fullXattrName(entry) === undefined;
}

function toEntry(name: string, value: Uint8Array, path: string): XattrEntry {
  const split = splitXattrName(name);
  if (split === undefined || split.suffix.length > 255) {
    throw new XattrError(path, `ext4 keeps no attribute of the name ${name}`);
  }
  if (value.length > MAX_VALUE_BYTES) {
    throw new XattrError(path, `the value of ${name} has ${value.length} bytes`);
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

function isSame(a: readonly XattrEntry[], b: readonly XattrEntry[]): boolean {
  return (
    a.length === b.length &&
    a.every((entry) =>
      b.some(
        (other) =>
          isSameName(entry, other) &&
          other.inInode?.inode === entry.inInode?.inode &&
          Buffer.compare(other.value, entry.value) === 0,
      ),
    )
  );
}

function isSameName(a: XattrEntry, b: XattrEntry): boolean {
  return a.nameIndex === b.nameIndex && Buffer.compare(a.suffix, b.suffix) === 0;
}
