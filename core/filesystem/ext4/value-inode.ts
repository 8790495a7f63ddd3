import { CorruptFilesystemError } from '../errors';
import { crc32c } from '../../bytes/checksum';
import { Incompat } from './features';
import { readContent } from './file-content';
import { fileExtents } from './file-extents';
import { InodeFlag, S_IFMT, S_IFREG, type Inode } from './inode';
import type { VolumeReader } from './volume-reader';
import type { ValueInInode } from './xattr';

/** Longest value that a system call takes (XATTR_SIZE_MAX). */
export const MAX_VALUE_BYTES = 65_536;

/** Who asks for a value: Lustre's volumes say so in the value's inode where Linux keeps a hash. */
export interface ValueOwner {
  readonly number: number;
  readonly inode: Inode;
}

/**
 * The value of an attribute that stands in an inode of its own (feature ea_inode).
 * @throws CorruptFilesystemError when the inode is no such inode, or its hash does not hold
 */
export function readValueInode(
  volume: VolumeReader,
  { inode: number, sizeBytes }: ValueInInode,
  owner: ValueOwner,
): Uint8Array {
  if ((volume.superblock.featureIncompat & Incompat.ea_inode) === 0) {
    throw new CorruptFilesystemError('attribute value in an inode without the ea_inode feature', {
      inode: owner.number,
    });
  }
  const inode = volume.inode(number);
  const isValue = (inode.mode & S_IFMT) === S_IFREG && (inode.flags & InodeFlag.EA_INODE) !== 0;
  if (!isValue || sizeBytes > MAX_VALUE_BYTES || inode.sizeBytes !== sizeBytes) {
    throw new CorruptFilesystemError('inode of an attribute value', {
      inode: number,
      sizeBytes,
      found: inode.sizeBytes,
    });
  }
  const value = new Uint8Array(sizeBytes);
  readContent(volume, fileExtents(volume, number, inode), 0, value);
  if (valueHash(volume.superblock, value) !== seconds(inode.atimeNs) && !belongsTo(inode, owner)) {
    throw new CorruptFilesystemError('hash of an attribute value', { inode: number });
  }
  return value;
}

/** What the inode of a value keeps as its time of access. */
export function valueHash(superblock: { readonly checksumSeed: number }, value: Uint8Array): number {
  return crc32c(superblock.checksumSeed, value);
}

function belongsTo(value: Inode, owner: ValueOwner): boolean {
  return seconds(value.mtimeNs) === owner.number && value.generation === owner.inode.generation;
}

function seconds(timeNs: bigint): number {
  const fraction = ((timeNs % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n;
  return Number(BigInt.asUintN(32, (timeNs - fraction) / 1_000_000_000n));
}
