import { decodeName } from '../../bytes/names';
import { CorruptFilesystemError } from '../errors';
import type { Xattrs } from '../filesystem';
import { aclFromDisk } from './acl';
import type { Extent } from './extent';
import { forkExtents } from './fork-extents';
import { type Inode, ForkFormat } from './inode';
import { readOwnedBytes, roomForBytes } from './owned-bytes';
import type { Volume } from './volume';
import { rangeOfBlocks } from './file-content';
import {
  parseXattrBlock,
  type RemoteValue,
  shortformXattrs,
  XATTR_BLOCK_STAMP,
  type XattrEntry,
  XattrFlag,
} from './xattr';

const VALUE_MAGIC = 0x5841524d;

/** More attributes of one file than any that were not made to fill memory; together, in bytes. */
const MAX_ATTRIBUTES_BYTES = 256 * 1024 * 1024;

/** The names under which XFS keeps POSIX ACLs in its trusted namespace. */
const ACL_NAMES: ReadonlyMap<string, string> = new Map([
  ['SGI_ACL_FILE', 'system.posix_acl_access'],
  ['SGI_ACL_DEFAULT', 'system.posix_acl_default'],
]);

/**
 * Attributes of a file by full name, with the values that getxattr(2) gives. What XFS keeps among them for itself (links
 * to the parent, attributes that were never finished) is left out; ACLs stand under their `system.` names alone.
 * @throws CorruptFilesystemError
 */
export function fileXattrs(volume: Volume, inode: Inode): Xattrs {
  const xattrs = new Map<string, Uint8Array>();
  const fork = inode.attributes;
  if (!fork) return xattrs;
  if (fork.format === ForkFormat.LOCAL) {
    for (const entry of shortformXattrs(fork.bytes)) take(entry, xattrs, () => remoteInInode(inode));
    return xattrs;
  }
  if (fork.format === ForkFormat.EXTENTS && fork.extentCount === 0) return xattrs;
  const extents = forkExtents(volume, inode.number, fork);
  const entries = treeEntries(volume, inode, extents);
  let bytes = 0;
  for (const entry of entries) {
    bytes += entry.value instanceof Uint8Array ? entry.value.length : entry.value.lengthBytes;
    if (bytes > MAX_ATTRIBUTES_BYTES) throw tooMany(inode);
    take(entry, xattrs, (value) => remoteValue(volume, inode.number, extents, value));
  }
  return xattrs;
}

function treeEntries(volume: Volume, inode: Inode, extents: readonly Extent[]): XattrEntry[] {
  const { blockSize, hasStamps } = volume.superblock;
  const entries: XattrEntry[] = [];
  const seen = new Set<number>();
  let level: number | undefined;
  for (let blocks: readonly number[] = [0]; blocks.length > 0;) {
    const ranges = blocks.map((block) => rangeOfBlocks(extents, blockSize, block, 1));
    volume.need(ranges);
    const next: number[] = [];
    let nextLevel: number | undefined;
    for (const [position, range] of ranges.entries()) {
      // A tree that leads to a block twice would grow without end.
      const fileBlock = blocks[position]!;
      if (seen.has(fileBlock))
        throw new CorruptFilesystemError('attribute tree with a loop', { inode: inode.number });
      seen.add(fileBlock);
      const node = parseXattrBlock(
        volume.block({ ...range, owner: inode.number }, XATTR_BLOCK_STAMP),
        hasStamps,
      );
      if (level !== undefined && node.level !== level) {
        throw new CorruptFilesystemError('level of an attribute tree', { inode: inode.number });
      }
      if ('entries' in node) entries.push(...node.entries);
      else next.push(...node.children);
      nextLevel = node.level - 1;
    }
    if ((seen.size + next.length) * blockSize > MAX_ATTRIBUTES_BYTES) throw tooMany(inode);
    level = nextLevel;
    blocks = next;
  }
  return entries;
}

/** A value too long for a leaf has blocks of its own in the fork, each with a header in version 5. */
function remoteValue(
  volume: Volume,
  owner: number,
  extents: readonly Extent[],
  { fileBlock, lengthBytes }: RemoteValue,
): Uint8Array {
  const { blockSize, hasStamps } = volume.superblock;
  const count = Math.ceil(lengthBytes / roomForBytes(blockSize, hasStamps));
  const ranges = Array.from({ length: count }, (_, block) =>
    rangeOfBlocks(extents, blockSize, fileBlock + block, 1),
  );
  return readOwnedBytes(volume, ranges, {
    what: 'attribute value',
    magic: VALUE_MAGIC,
    owner,
    lengthBytes,
  });
}

function take(
  entry: XattrEntry,
  xattrs: Map<string, Uint8Array>,
  read: (value: RemoteValue) => Uint8Array,
): void {
  if (entry.flags & (XattrFlag.INCOMPLETE | XattrFlag.PARENT)) return;
  const plain = decodeName(entry.name);
  const value = entry.value instanceof Uint8Array ? entry.value : read(entry.value);
  const isTrusted = (entry.flags & XattrFlag.ROOT) !== 0;
  const aclName = isTrusted ? ACL_NAMES.get(plain) : undefined;
  if (aclName !== undefined) {
    const acl = aclFromDisk(value);
    if (acl) xattrs.set(aclName, acl);
    return;
  }
  const prefix = isTrusted ? 'trusted.' : entry.flags & XattrFlag.SECURE ? 'security.' : 'user.';
  if (xattrs.has(prefix + plain)) throw new CorruptFilesystemError('attribute twice', { name: plain });
  xattrs.set(prefix + plain, value);
}

function tooMany(inode: Inode): CorruptFilesystemError {
  return new CorruptFilesystemError('more attributes than any', { inode: inode.number });
}

function remoteInInode(inode: Inode): never {
  throw new CorruptFilesystemError('attribute value outside its inode', { inode: inode.number });
}
