import type { ImageElvesError } from '../errors';
import { UnsupportedFilesystemError } from '../filesystem/errors';
import type { FstabEntry } from './fstab';
import type { IgnoredMount } from './image';
import { AmbiguousDeviceError, MissingVolumeError } from './image-errors';
import { findSource, isDiskSource } from './mount-source';
import { placeOf, type VolumeFilesystem } from './volume-filesystem';

/** What fstab mounts, worked out: which filesystem where, and what is no part of the image and why. */
export interface MountTable {
  /** The root first; a mount point always after the one that holds it. */
  readonly mounts: readonly { readonly mountPoint: string; readonly source: VolumeFilesystem }[];
  readonly ignored: readonly IgnoredMount[];
}

/** Kinds that hold nothing an update has to reach, each with the reason why the image does without. */
const harmlessKinds: ReadonlyMap<string, string> = new Map([
  ['vfat', 'a FAT filesystem (the EFI system partition) is neither read nor written'],
  ['swap', 'swap holds no files'],
]);

const containerKinds: ReadonlySet<string> = new Set(['lvm2', 'luks', 'mdraid']);

/**
 * @throws MissingVolumeError, AmbiguousDeviceError, UnsupportedFilesystemError for a mount that the machine does not do
 *   without: one of a disk, neither `nofail` nor `noauto`
 */
export function resolveMounts(
  entries: readonly FstabEntry[],
  root: VolumeFilesystem,
  filesystems: readonly VolumeFilesystem[],
): MountTable {
  const mounts = new Map([['/', root]]);
  const ignored: IgnoredMount[] = [];
  for (const entry of entries) {
    if (entry.mountPoint === '/') continue;
    const outcome = resolveMount(entry, filesystems);
    const twice = 'source' in outcome && [...mounts].find(([, source]) => source === outcome.source);
    if ('source' in outcome && !twice) mounts.set(entry.mountPoint, outcome.source);
    else {
      const reason =
        'reason' in outcome ? outcome.reason : `the filesystem that is mounted at ${twice && twice[0]}`;
      ignored.push({ mountPoint: entry.mountPoint, source: entry.source, reason });
    }
  }
  return {
    mounts: [...mounts]
      .map(([mountPoint, source]) => ({ mountPoint, source }))
      .sort((a, b) => a.mountPoint.length - b.mountPoint.length || (a.mountPoint < b.mountPoint ? -1 : 1)),
    ignored,
  };
}

type Outcome = { readonly source: VolumeFilesystem } | { readonly reason: string };

function resolveMount(entry: FstabEntry, filesystems: readonly VolumeFilesystem[]): Outcome {
  const reason = noDiskReason(entry);
  if (reason) return { reason };
  const optional = entry.options.includes('nofail') || isManual(entry);
  try {
    const source = findSource(entry, filesystems);
    const kind = source?.kind ?? entry.type;
    const harmless = harmlessKinds.get(kind);
    if (harmless) return { reason: harmless };
    if (!source) throw missing(entry, filesystems);
    if (isManual(entry)) return { reason: 'noauto: it is not mounted when the machine runs' };
    if (kind !== 'ext4')
      throw new UnsupportedFilesystemError(kind, `${placeOf(source)}, ${entry.mountPoint},`);
    return { source };
  } catch (error) {
    const expected =
      error instanceof MissingVolumeError ||
      error instanceof AmbiguousDeviceError ||
      error instanceof UnsupportedFilesystemError;
    if (!expected || !optional) throw error;
    return { reason: `nofail: ${error.message}` };
  }
}

/** A filesystem that is not in sight may be in what holds filesystems and cannot be looked into. */
function missing(
  { mountPoint, source }: FstabEntry,
  filesystems: readonly VolumeFilesystem[],
): ImageElvesError {
  const container = filesystems.find(({ kind }) => containerKinds.has(kind));
  return container
    ? new UnsupportedFilesystemError(
        container.kind,
        `${placeOf(container)}, where ${source} for ${mountPoint} may be,`,
      )
    : new MissingVolumeError(mountPoint, source);
}

/** systemd mounts such a line when somebody first goes there, so it is in reach in spite of `noauto`. */
function isManual({ options }: FstabEntry): boolean {
  return options.includes('noauto') && !options.includes('x-systemd.automount');
}

function noDiskReason({ source, mountPoint, type, options }: FstabEntry): string | undefined {
  if (type === 'swap' || mountPoint === 'none' || mountPoint === 'swap') return harmlessKinds.get('swap');
  if (options.includes('bind') || options.includes('rbind'))
    return 'a bind mount shows files of another path';
  if (options.includes('loop')) return 'a filesystem in a file is that file, for an update';
  if (!mountPoint.startsWith('/')) return 'it has no mount point';
  if (options.includes('_netdev') && !isDiskSource(source))
    return 'a network filesystem is no part of the machine';
  if (!isDiskSource(source)) return `${type} is on none of the machine's disks`;
  return undefined;
}
