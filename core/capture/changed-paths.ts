import type { Stat } from '../filesystem/filesystem';
import type { Image } from '../image/image';

/** Every entry of an image by path. */
export type Scan = ReadonlyMap<string, Stat>;

/** A path whose inode says that it may have changed. */
export interface ChangedPath {
  readonly path: string;
  readonly before: Stat | undefined;
  readonly after: Stat | undefined;
}

export async function scanImage(image: Image): Promise<Scan> {
  const scan = new Map<string, Stat>();
  for await (const { path, stat } of image.scan()) scan.set(path, stat);
  return scan;
}

/**
 * Paths that may differ: the kernel cannot change an entry without changing its inode number or its ctime. Only these
 * are read.
 */
export function changedPaths(before: Scan, after: Scan): ChangedPath[] {
  const changed: ChangedPath[] = [];
  for (const [path, stat] of after) {
    const old = before.get(path);
    if (old === undefined || !isSameInode(old, stat)) changed.push({ path, before: old, after: stat });
  }
  for (const [path, stat] of before) {
    if (!after.has(path)) changed.push({ path, before: stat, after: undefined });
  }
  return changed.sort((a, b) => (a.path < b.path ? -1 : 1));
}

function isSameInode(a: Stat, b: Stat): boolean {
  return (
    a.inode === b.inode &&
    a.type === b.type &&
    a.ctimeNs === b.ctimeNs &&
    a.mtimeNs === b.mtimeNs &&
    a.sizeBytes === b.sizeBytes &&
    a.mode === b.mode &&
    a.uid === b.uid &&
    a.gid === b.gid &&
    a.links === b.links
  );
}
