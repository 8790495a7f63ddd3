/** linux/posix_acl_xattr.h: version 2, then entries of tag, permissions and id, little endian. */
const ACL_ATTRIBUTES = new Set(['system.posix_acl_access', 'system.posix_acl_default']);
const VERSION = 2;
const HEADER_BYTES = 4;
const ENTRY_BYTES = 8;
const ID_OFFSET = 4;
/** acl(5): entries for a named user and for a named group; all others have no id. */
const KIND_OF_TAG: Readonly<Record<number, 'user' | 'group'>> = { 0x02: 'user', 0x08: 'group' };

/**
 * An access control list with other numbers of users and groups. Undefined when the attribute is none, or is not of the
 * form that getxattr(2) gives.
 */
export function mapAclIds(
  attribute: string,
  value: Uint8Array,
  mapId: (kind: 'user' | 'group', id: number) => number,
): Uint8Array | undefined {
  if (!ACL_ATTRIBUTES.has(attribute)) return undefined;
  const bytes = Buffer.from(value);
  if (bytes.length < HEADER_BYTES || (bytes.length - HEADER_BYTES) % ENTRY_BYTES !== 0) return undefined;
  if (bytes.readUInt32LE(0) !== VERSION) return undefined;
  for (let at = HEADER_BYTES; at < bytes.length; at += ENTRY_BYTES) {
    const kind = KIND_OF_TAG[bytes.readUInt16LE(at)];
    if (kind === undefined) continue;
    bytes.writeUInt32LE(mapId(kind, bytes.readUInt32LE(at + ID_OFFSET)), at + ID_OFFSET);
  }
  return bytes;
}

/** Every number of a user or group in an access control list; none in other attributes. */
export function idsInAcl(
  attribute: string,
  value: Uint8Array,
): { readonly kind: 'user' | 'group'; readonly id: number }[] {
  const ids: { kind: 'user' | 'group'; id: number }[] = [];
  mapAclIds(attribute, value, (kind, id) => {
    ids.push({ kind, id });
    return id;
  });
  return ids;
}
