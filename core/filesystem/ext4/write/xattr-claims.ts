import type { Superblock } from '../superblock';
import {
  parseInodeXattrs,
  parseXattrBlock,
  verifyXattrBlock,
  type XattrBlock,
  type XattrEntry,
} from '../xattr';
import type { InodeEdit } from './inode-edit';
import { countValueReferences } from './value-inodes';
import type { VolumeEdit } from './volume-edit';

/** All that an inode has of attributes, as stored. */
export interface HeldXattrs {
  readonly inside: readonly XattrEntry[];
  /** Undefined when it has no attribute block. */
  readonly block: XattrBlock | undefined;
}

/** @throws CorruptFilesystemError */
export function heldXattrs(volume: VolumeEdit, inode: InodeEdit): HeldXattrs {
  const { xattrBlock, extraIsize } = inode.fields;
  return {
    inside: parseInodeXattrs(inode.readBytes(), extraIsize),
    block: xattrBlock === 0 ? undefined : readXattrBlock(volume, xattrBlock),
  };
}

/** @throws CorruptFilesystemError */
export function readXattrBlock(volume: VolumeEdit, number: number): XattrBlock {
  const bytes = volume.readBlock(number);
  verifyXattrBlock(bytes, volume.superblock, number);
  return parseXattrBlock(bytes);
}

/**
 * Brings the counts of value inodes, and the sectors of the inode that has the attributes, to what it holds now. An
 * entry of a shared block counts once for the block, but its sectors count in each inode that shares it.
 */
export function settleValues(
  volume: VolumeEdit,
  inode: InodeEdit,
  before: HeldXattrs,
  after: HeldXattrs,
): void {
  const delta = new Map<number, number>();
  const count = (held: HeldXattrs, step: number): void => {
    const own = held.block?.references === 1 ? held.block.entries : [];
    for (const { inInode } of [...held.inside, ...own]) {
      if (inInode) delta.set(inInode.inode, (delta.get(inInode.inode) ?? 0) + step);
    }
  };
  count(before, -1);
  count(after, 1);
  for (const [number, step] of delta) {
    if (step !== 0) countValueReferences(volume, number, step);
  }
  const sectors = valueSectors(volume.superblock, after) - valueSectors(volume.superblock, before);
  if (sectors !== 0) {
    inode.fields.sectors += sectors;
    inode.isChanged = true;
  }
}

/** What values in inodes of their own add to the sectors of the inode whose attributes they are. */
export function valueSectors({ clusterSize }: Superblock, { inside, block }: HeldXattrs): number {
  return [...inside, ...(block?.entries ?? [])].reduce(
    (sum, { inInode }) => sum + Math.ceil((inInode?.sizeBytes ?? 0) / clusterSize) * (clusterSize / 512),
    0,
  );
}
