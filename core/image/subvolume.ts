import { UnsupportedFeatureError } from '../filesystem/errors';
import type { FstabEntry } from './fstab';
import type { VolumeFilesystem } from './volume-filesystem';

/** Numbers by which `subvolid=` means the top level (btrfs(5)). */
const TOP_LEVEL_IDS: ReadonlySet<string> = new Set(['0', '5']);

/**
 * The subvolume that an fstab line mounts, as a path from the top level; undefined for the top level, and for what is no
 * btrfs.
 *
 * @throws UnsupportedFeatureError when only btrfs's own trees tell which one it is
 */
export function subvolumeOf({ options }: FstabEntry, source: VolumeFilesystem): string | undefined {
  if (source.kind !== 'btrfs') return undefined;
  const valueOf = (name: string): string | undefined =>
    options.findLast((option) => option.startsWith(`${name}=`))?.slice(name.length + 1);
  const path = valueOf('subvol');
  if (path !== undefined) return path.split('/').filter(Boolean).join('/') || undefined;
  const id = valueOf('subvolid');
  if (id === undefined && source.hasDefaultSubvolume === true)
    throw new UnsupportedFeatureError(['btrfs default subvolume (name it by subvol= in fstab)'], 'read');
  if (id !== undefined && !TOP_LEVEL_IDS.has(id))
    throw new UnsupportedFeatureError([`btrfs subvolid=${id} without subvol=`], 'read');
  return undefined;
}
