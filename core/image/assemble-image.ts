import type { ImageElvesError } from '../errors';
import type { FilesystemReader } from '../filesystem/filesystem';
import { SubtreeReader } from '../filesystem/subtree-reader';
import { parseFstab } from './fstab';
import { readText } from './follow-links';
import { NO_IDENTITY } from './identity-values';
import type { ImageMount } from './image';
import { ImageNamespace } from './image-namespace';
import { resolveMounts } from './mount-table';
import { readIdentityValues } from './read-identity-values';
import { readOsIdentity } from './read-os-identity';
import { findRoot } from './root-filesystem';
import type { VolumeFilesystem } from './volume-filesystem';

/** Opens what partitions and logical volumes hold. Each is opened once, however often it is asked for. */
export interface FilesystemOpener<O extends { readonly filesystem: FilesystemReader }> {
  /** Why this cannot be opened, whatever it holds; undefined for kinds that can. */
  refuse(source: VolumeFilesystem): ImageElvesError | undefined;
  /**
   * For a look at filesystems that may be part of the image. Changes nothing: they may turn out to be none. What is
   * wrong with one stands in its place.
   */
  look(sources: readonly VolumeFilesystem[]): Promise<(FilesystemReader | ImageElvesError)[]>;
  /** For a filesystem that becomes part of the image. */
  open(source: VolumeFilesystem): Promise<O>;
}

/** A mount of the image, and how its filesystem was opened. */
export interface AssembledMount<O> extends ImageMount {
  readonly source: VolumeFilesystem;
  /** btrfs only. */
  readonly subvolume: string | undefined;
  readonly opened: O;
}

export interface AssembledImage<O> {
  readonly image: ImageNamespace;
  readonly mounts: readonly AssembledMount<O>[];
}

/**
 * Finds the root among the filesystems of an instance, mounts on it what its fstab says, and reads who the machine is.
 *
 * @throws NoRootFilesystemError, UnsupportedFilesystemError, MissingVolumeError, AmbiguousDeviceError, and what `open`
 *   throws for a filesystem that is needed
 */
export async function assembleImage<O extends { readonly filesystem: FilesystemReader }>(
  filesystems: readonly VolumeFilesystem[],
  diskUuids: readonly string[],
  opener: FilesystemOpener<O>,
): Promise<AssembledImage<O>> {
  const root = await findRoot(filesystems, opener);
  const entries = parseFstab((await readText(root.filesystem, '/etc/fstab')) ?? '');
  const { mounts: table, ignored } = resolveMounts(entries, root, filesystems, (source) =>
    opener.refuse(source),
  );
  const others = new Set(table.map(({ source }) => source));
  others.delete(root.source);
  // Together, so that logs which only the kernel replays are replayed in one go.
  if (others.size > 1) await opener.look([...others]);
  const mounts: AssembledMount<O>[] = [];
  for (const { mountPoint, source, subvolume } of table) {
    const opened = await opener.open(source);
    const whole = opened.filesystem;
    const filesystem = subvolume === undefined ? whole : new SubtreeReader(whole, `/${subvolume}`);
    const { volumeIds, partition, partUuid, kind } = source;
    mounts.push({ mountPoint, volumeIds, partition, partUuid, kind, filesystem, source, subvolume, opened });
  }
  // The files that say who the machine is may stand on any mount, so they are read through the namespace.
  const facts = { ignoredMounts: ignored };
  const files = new ImageNamespace(mounts, { ...facts, os: UNKNOWN_OS, identity: NO_IDENTITY });
  const os = await readOsIdentity(files);
  const identity = await readIdentityValues(files, {
    filesystemUuids: valuesOf(filesystems, 'uuid'),
    filesystemLabels: valuesOf(filesystems, 'label'),
    partUuids: valuesOf(filesystems, 'partUuid'),
    diskUuids: diskUuids.toSorted(),
  });
  return { image: new ImageNamespace(mounts, { ...facts, os, identity }), mounts };
}

const UNKNOWN_OS = {
  id: 'linux',
  versionId: '',
  name: 'Linux',
  architecture: 'unknown',
  packageSystem: 'none',
} as const;

function valuesOf(
  filesystems: readonly VolumeFilesystem[],
  field: 'uuid' | 'label' | 'partUuid',
): readonly string[] {
  const values = filesystems.flatMap((filesystem) => filesystem[field] ?? []);
  return [...new Set(values)].sort();
}
