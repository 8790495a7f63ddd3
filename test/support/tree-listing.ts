import { createHash } from 'node:crypto';
import type { FilesystemReader } from '../../core/filesystem/filesystem';

/** Every path with all that can be told of it, as one comparable line; and the free bytes under the name `free`. */
export type TreeListing = ReadonlyMap<string, string>;

/** Parses the output of list-tree.py. */
export function parseKernelListing(output: string): TreeListing {
  const listing = new Map<string, string>();
  for (const line of output.split('\n')) {
    if (line === '') continue;
    const entry = JSON.parse(line) as { path?: string; freeBytes?: number };
    listing.set(entry.path ?? 'free', lineOf(entry));
  }
  return listing;
}

/** Lists the same through our own reader: paths and stats by scan(), all else by path. */
export async function readerListing(filesystem: FilesystemReader): Promise<TreeListing> {
  const listing = new Map<string, string>();
  listing.set('free', lineOf({ freeBytes: await filesystem.freeBytes() }));
  // Thousands of names may be one inode: its content is read once.
  const digests = new Map<number, string>();
  for await (const { path, stat } of filesystem.scan()) {
    const { type } = stat;
    const xattrs = await filesystem.xattrs(path);
    const digest = digests.get(stat.inode) ?? (type === 'file' && sha256(await filesystem.readFile(path)));
    if (digest !== false && stat.links > 1) digests.set(stat.inode, digest);
    const hasFlags = type === 'file' || type === 'directory';
    listing.set(
      path,
      lineOf({
        path,
        inode: stat.inode,
        type,
        mode: stat.mode,
        uid: stat.uid,
        gid: stat.gid,
        sizeBytes: stat.sizeBytes,
        links: stat.links,
        mtimeNs: String(stat.mtimeNs),
        ctimeNs: String(stat.ctimeNs),
        xattrs: Object.fromEntries(
          [...xattrs].map(([name, value]) => [name, Buffer.from(value).toString('hex')]),
        ),
        ...(digest !== false && { sha256: digest }),
        ...(hasFlags && { immutable: stat.immutable, appendOnly: stat.appendOnly }),
        ...(type === 'symlink' && { target: await filesystem.readlink(path) }),
        ...(stat.device && { device: `${stat.device.major}:${stat.device.minor}` }),
      }),
    );
  }
  return listing;
}

/** Lines in which two listings differ, at most `limit` of them. Empty when they are the same. */
export function listingDifferences(expected: TreeListing, found: TreeListing, limit = 20): string[] {
  const differences: string[] = [];
  for (const path of new Set([...expected.keys(), ...found.keys()])) {
    const [left, right] = [expected.get(path), found.get(path)];
    if (left !== right) differences.push(`- ${left ?? 'nothing'}`, `+ ${right ?? 'nothing'}`);
    if (differences.length >= limit) break;
  }
  return differences;
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** JSON with sorted keys, attributes included. */
function lineOf(entry: object): string {
  return JSON.stringify(entry, (_key, value: unknown) =>
    value !== null && typeof value === 'object' && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
      : value,
  );
}
