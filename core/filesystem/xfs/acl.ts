import { readU16BE, readU32BE } from '../../bytes/big-endian';
import { writeU16, writeU32 } from '../../bytes/little-endian';
import { CorruptFilesystemError } from '../errors';

const XATTR_VERSION = 2;
const TAG_USER = 0x2;
const TAG_GROUP = 0x8;
const UNDEFINED_ID = 0xffffffff;
const KNOWN_TAGS: ReadonlySet<number> = new Set([0x1, TAG_USER, 0x4, TAG_GROUP, 0x10, 0x20]);
const ENTRY_BYTES = 12;

/**
 * A POSIX ACL as XFS stores it (struct xfs_acl), in the form that getxattr(2) gives.
 * @returns undefined for an ACL without entries, which counts as none
 * @throws CorruptFilesystemError
 */
export function aclFromDisk(disk: Uint8Array): Uint8Array | undefined {
  const count = readU32BE(disk, 0);
  if (count * ENTRY_BYTES + 4 > disk.length) throw new CorruptFilesystemError('ACL entries', { count });
  if (count === 0) return undefined;
  const value = new Uint8Array(4 + 8 * count);
  writeU32(value, 0, XATTR_VERSION);
  for (let entry = 0; entry < count; entry++) {
    const at = 4 + entry * ENTRY_BYTES;
    const tag = readU32BE(disk, at);
    if (!KNOWN_TAGS.has(tag)) throw new CorruptFilesystemError('ACL entry', { tag, at });
    const hasId = tag === TAG_USER || tag === TAG_GROUP;
    writeU16(value, 4 + 8 * entry, tag);
    writeU16(value, 6 + 8 * entry, readU16BE(disk, at + 8));
    writeU32(value, 8 + 8 * entry, hasId ? readU32BE(disk, at + 4) : UNDEFINED_ID);
  }
  return value;
}
