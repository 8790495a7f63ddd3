import type { Stat } from '../filesystem/filesystem';
import type { Image } from '../image/image';

/** The names that one inode has, by each of its names; sorted. Names of directories are not among them. */
export type LinkGroups = ReadonlyMap<string, readonly string[]>;

/** Inode numbers are unique in one mount only. */
export function linkGroupsOf(
  image: Pick<Image, 'mountOf'>,
  entries: Iterable<{ readonly path: string; readonly stat: Stat | undefined }>,
): LinkGroups {
  const byInode = new Map<string, string[]>();
  const groups = new Map<string, string[]>();
  for (const { path, stat } of entries) {
    if (stat === undefined || stat.type === 'directory') continue;
    if (stat.links < 2) {
      groups.set(path, [path]);
      continue;
    }
    const key = `${image.mountOf(path).mountPoint}\0${stat.inode}`;
    const known = byInode.get(key);
    if (known === undefined) {
      const group = [path];
      byInode.set(key, group);
      groups.set(path, group);
    } else {
      known.push(path);
      groups.set(path, known);
    }
  }
  for (const group of byInode.values()) group.sort();
  return groups;
}
