/**
 * What the kernel unpacks into its first filesystem: a cpio archive in the "newc" format (Linux,
 * Documentation/driver-api/early-userspace/buffer-format.rst). The same files give the same bytes: sorted by path, no
 * times, owned by root.
 */
export type ArchiveEntry =
  | { readonly path: string; readonly kind: 'file'; readonly content: Uint8Array; readonly mode: number }
  | { readonly path: string; readonly kind: 'directory' }
  | { readonly path: string; readonly kind: 'symlink'; readonly target: string }
  | {
      readonly path: string;
      readonly kind: 'character-device';
      readonly major: number;
      readonly minor: number;
    };

const MAGIC = '070701';
const TRAILER = 'TRAILER!!!';
const ALIGNMENT = 4;

/** @param entries paths without a leading slash; the directories above each are added */
export function cpioArchive(entries: readonly ArchiveEntry[]): Buffer {
  const byPath = new Map<string, ArchiveEntry>();
  for (const entry of entries) {
    const parts = entry.path.split('/');
    for (let depth = 1; depth < parts.length; depth += 1) {
      const parent = parts.slice(0, depth).join('/');
      if (!byPath.has(parent)) byPath.set(parent, { path: parent, kind: 'directory' });
    }
    byPath.set(entry.path, entry);
  }
  const sorted = [...byPath.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
  const parts: Uint8Array[] = [];
  for (const [index, entry] of sorted.entries()) parts.push(...member(entry, index + 1));
  parts.push(
    ...record({ name: TRAILER, inode: 0, mode: 0, links: 1, major: 0, minor: 0, content: new Uint8Array() }),
  );
  return Buffer.concat(parts);
}

function member(entry: ArchiveEntry, inode: number): Uint8Array[] {
  const base = { name: entry.path, inode, links: 1, major: 0, minor: 0, content: new Uint8Array() };
  switch (entry.kind) {
    case 'file':
      return record({ ...base, mode: 0o100000 | entry.mode, content: entry.content });
    case 'directory':
      return record({ ...base, mode: 0o040755, links: 2 });
    case 'symlink':
      return record({ ...base, mode: 0o120777, content: Buffer.from(entry.target) });
    case 'character-device':
      return record({ ...base, mode: 0o020600, major: entry.major, minor: entry.minor });
  }
}

interface CpioRecord {
  readonly name: string;
  readonly inode: number;
  readonly mode: number;
  readonly links: number;
  readonly major: number;
  readonly minor: number;
  readonly content: Uint8Array;
}

function record({ name, inode, mode, links, major, minor, content }: CpioRecord): Uint8Array[] {
  const nameBytes = Buffer.from(`${name}\0`);
  // inode, mode, uid, gid, links, mtime, size, device of the file (2), device of the node (2), length of the name, check
  const fields = [inode, mode, 0, 0, links, 0, content.length, 0, 0, major, minor, nameBytes.length, 0];
  const header = Buffer.from(MAGIC + fields.map((field) => field.toString(16).padStart(8, '0')).join(''));
  return [header, nameBytes, padding(header.length + nameBytes.length), content, padding(content.length)];
}

function padding(lengthBytes: number): Uint8Array {
  return new Uint8Array((ALIGNMENT - (lengthBytes % ALIGNMENT)) % ALIGNMENT);
}
