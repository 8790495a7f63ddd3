import { decodeName, encodeName } from '../../bytes/names';

/**
 * On the disk a name's prefix is a number (kernel Documentation/filesystems/ext4/attributes.rst). Others are the
 * kernel's own: 7 of inline data, 9 of encryption, 11 of verity.
 */
const PREFIXES: readonly (readonly [index: number, prefix: string])[] = [
  [1, 'user.'],
  [2, 'system.posix_acl_access'],
  [3, 'system.posix_acl_default'],
  [4, 'trusted.'],
  [6, 'security.'],
  [10, 'gnu.'],
];

/** Indexes whose values are ACLs, which the disk keeps in a shorter form. */
export const ACL_INDEXES: ReadonlySet<number> = new Set([2, 3]);

export interface XattrName {
  readonly nameIndex: number;
  /** What follows the prefix. */
  readonly suffix: Uint8Array;
}

/** Undefined when no system call shows an attribute of this namespace. */
export function fullXattrName({ nameIndex, suffix }: XattrName): string | undefined {
  const prefix = PREFIXES.find(([index]) => index === nameIndex);
  return prefix && prefix[1] + decodeName(suffix);
}

/** Undefined when the name is in no namespace that ext4 keeps. */
export function splitXattrName(name: string): XattrName | undefined {
  for (const [nameIndex, prefix] of PREFIXES) {
    const isWhole = !prefix.endsWith('.');
    if (isWhole ? name === prefix : name.startsWith(prefix) && name.length > prefix.length) {
      return { nameIndex, suffix: encodeName(name.slice(prefix.length)) };
    }
  }
  return undefined;
}
