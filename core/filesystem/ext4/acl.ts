import { readU16, readU32, writeU16, writeU32 } from '../../bytes/little-endian';
import { CorruptFilesystemError } from '../errors';

const DISK_VERSION = 1;
const XATTR_VERSION = 2;
const TAG_USER = 0x2;
const TAG_GROUP = 0x8;
const UNDEFINED_ID = 0xffffffff;
/** On the disk only the tags of a named user or group carry an id. */
const KNOWN_TAGS: ReadonlySet<number> = new Set([0x1, TAG_USER, 0x4, TAG_GROUP, 0x10, 0x20]);

/**
 * A POSIX ACL as ext4 stores it, in the form that getxattr(2) gives.
 * @throws CorruptFilesystemError
 */
export function aclFromDisk(disk: Uint8Array): Uint8Array {
  if (disk.length < 4 || readU32(disk, 0) !== DISK_VERSION)
    throw new CorruptFilesystemError('version of an ACL');
  const entries: { tag: number; permissions: number; id: number }[] = [];
  for (let at = 4; at < disk.length;) {
    const tag = at + 4 <= disk.length ? readU16(disk, at) : 0;
    const bytes = hasId(tag) ? 8 : 4;
    if (!KNOWN_TAGS.has(tag) || at + bytes > disk.length)
      throw new CorruptFilesystemError('ACL entry', { tag, at });
    entries.push({
      tag,
      permissions: readU16(disk, at + 2),
      id: hasId(tag) ? readU32(disk, at + 4) : UNDEFINED_ID,
    });
    at += bytes;
  }
  const value = new Uint8Array(4 + 8 * entries.length);
  writeU32(value, 0, XATTR_VERSION);
  entries.forEach(({ tag, permissions, id }, index) => {
    writeU16(value, 4 + 8 * index, tag);
    writeU16(value, 6 + 8 * index, permissions);
    writeU32(value, 8 + 8 * index, id);
  });
  return value;
}

/**
 * The reverse of `aclFromDisk`.
 * @throws CorruptFilesystemError when `value` is not what getxattr(2) gives for an ACL
 */
export function aclToDisk(value: Uint8Array): Uint8Array {
  if (value.length < 4 || value.length % 8 !== 4 || readU32(value, 0) !== XATTR_VERSION) {
    throw new CorruptFilesystemError('form of an ACL', { lengthBytes: value.length });
  }
  const disk: number[] = [DISK_VERSION, 0, 0, 0];
  for (let at = 4; at < value.length; at += 8) {
    const tag = readU16(value, at);
    if (!KNOWN_TAGS.has(tag)) throw new CorruptFilesystemError('ACL entry', { tag, at });
    disk.push(...value.subarray(at, at + (hasId(tag) ? 8 : 4)));
  }
  return Uint8Array.from(disk);
}

function hasId(tag: number): boolean {
  return tag === TAG_USER || tag === TAG_GROUP;
}
