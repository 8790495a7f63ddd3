import type { ImageElvesError } from '../errors';
import { UnsupportedFeatureError, UnsupportedFilesystemError } from '../filesystem/errors';
import type { FstabEntry } from './fstab';
import type { IgnoredMount } from './image';
import { AmbiguousDeviceError, MissingVolumeError } from './image-errors';
import { findSource, isDiskSource } from './mount-source';
import { subvolumeOf } from './subvolume';
import { placeOf, type VolumeFilesystem } from './volume-filesystem';

/** A filesystem, or a subvolume of one. */
export interface MountedSource {
  readonly source: VolumeFilesystem;
  /** btrfs only; undefined for the top level. */
  readonly subvolume: string | undefined;
}

/** What fstab mounts, worked out: which filesystem where, and what is no part of the image and why. */
export interface MountTable {
  /** The root first; a mount point always after the one that holds it. */
  readonly mounts: readonly (MountedSource & { readonly mountPoint: string })[];
  readonly ignored: readonly IgnoredMount[];
}

/** Kinds that hold nothing an update has to reach, each with the reason why the image does without. */
const harmlessKinds: ReadonlyMap<string, string> = new Map([['swap', 'swap holds no files']]);

const containerKinds: ReadonlySet<string> = new Set(['lvm2', 'luks', 'mdraid']);

/**
 * @param refuse why what a filesystem holds cannot be opened
 * @throws MissingVolumeError, AmbiguousDeviceError, UnsupportedFilesystemError, UnsupportedFeatureError for a mount that
 *   the machine does not do without: one of a disk, neither `nofail` nor `noauto`
 */
export function resolveMounts(
  entries: readonly FstabEntry[],
  root: MountedSource,
  filesystems: readonly VolumeFilesystem[],
  refuse: (source: VolumeFilesystem) => ImageElvesError | undefined,
): MountTable {
  const mounts = new Map<string, MountedSource>([['/', { source: root.source, subvolume: root.subvolume }]]);
  const ignored: IgnoredMount[] = [];
  for (const entry of entries) {
    if (entry.mountPoint === '/') continue;
    const outcome = resolveMount(entry, filesystems, refuse);
    const twice = 'source' in outcome && [...mounts].find(([, other]) => isSame(other, outcome));
    if ('source' in outcome && !twice) mounts.set(entry.mountPoint, outcome);
    else {
      const reason =
        'reason' in outcome ? outcome.reason : `the filesystem that is mounted at ${twice && twice[0]}`;
      ignored.push({ mountPoint: entry.mountPoint, source: entry.source, reason });
    }
  }
  return {
    mounts: [...mounts]
      .map(([mountPoint, mounted]) => ({ mountPoint, ...mounted }))
      .sort((a, b) => a.mountPoint.length - b.mountPoint.length || (a.mountPoint < b.mountPoint ? -1 : 1)),
    ignored,
  };
}

function isSame(one: MountedSource, other: MountedSource): boolean {
  return one.source === other.source && one.subvolume === other.subvolume;
}

type Outcome = MountedSource | { readonly reason: string };

function resolveMount(
  entry: FstabEntry,
  filesystems: readonly VolumeFilesystem[],
  refuse: (source: VolumeFilesystem) => ImageElvesError | undefined,
): Outcome {
  const reason = noDiskReason(entry);
  if (reason) return { reason };
  const optional = entry.options.includes('nofail') || isManual(entry);
  try {
    const source = findSource(entry, filesystems);
    const harmless = harmlessKinds.get(source?.kind ?? entry.type);
    if (harmless) return { reason: harmless };
    if (!source && entry.type === 'vfat') return { reason: 'a FAT filesystem that no volume holds' };
    if (!source) throw missing(entry, filesystems);
    if (isManual(entry)) return { reason: 'noauto: it is not mounted when the machine runs' };
    const refusal = refuse(source);
    if (refusal instanceof UnsupportedFilesystemError)
      throw new UnsupportedFilesystemError(refusal.kind, `${placeOf(source)}, ${entry.mountPoint},`);
    if (refusal) throw refusal;
    return { source, subvolume: subvolumeOf(entry, source) };
  } catch (error) {
    const expected =
      error instanceof MissingVolumeError ||
      error instanceof AmbiguousDeviceError ||
      error instanceof UnsupportedFilesystemError ||
      error instanceof UnsupportedFeatureError;
    if (!expected || !optional) throw error;
    return { reason: `nofail: ${error.message}` };
  }
}

/** A filesystem that is not in sight may be in what holds filesystems and cannot be looked into. */
function missing(
  { mountPoint, source }: FstabEntry,
  filesystems: readonly VolumeFilesystem[],
): ImageElvesError {
  const container = filesystems.find(
    ({ kind, isAssembled }) => containerKinds.has(kind) && isAssembled !== true,
  );
  if (container?.refusal !== undefined) return container.refusal;
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
