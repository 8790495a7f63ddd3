import { ImageElvesError } from '../errors';
import { UnsupportedFilesystemError } from '../filesystem/errors';
import type { FilesystemReader } from '../filesystem/filesystem';
import { parseFstab } from './fstab';
import { readText } from './follow-links';
import { NO_IDENTITY } from './identity-values';
import type { ImageMount } from './image';
import { NoRootFilesystemError } from './image-errors';
import { ImageNamespace } from './image-namespace';
import { findSource } from './mount-source';
import { resolveMounts } from './mount-table';
import { readIdentityValues } from './read-identity-values';
import { readOsIdentity } from './read-os-identity';
import { placeOf, type VolumeFilesystem } from './volume-filesystem';

/** Opens what a partition holds; asked only for kinds that can be opened. */
export interface FilesystemOpener<F extends FilesystemReader> {
  /** For a filesystem that becomes part of the image: called once for each. */
  open(filesystem: VolumeFilesystem): Promise<F>;
  /** For a look at one that may be the root. Must not change anything: it may turn out to be no part of the image. */
  peek(filesystem: VolumeFilesystem): Promise<FilesystemReader>;
}

export interface AssembledImage<F extends FilesystemReader> {
  readonly image: ImageNamespace;
  /** The same mounts as the image's, as they were opened. */
  readonly mounts: readonly (ImageMount & { readonly filesystem: F })[];
}

/**
 * Finds the root among the filesystems of an instance, mounts on it what its fstab says, and reads who the machine is.
 *
 * @throws NoRootFilesystemError, UnsupportedFilesystemError, MissingVolumeError, AmbiguousDeviceError, and what `open`
 *   throws for a filesystem that is needed
 */
export async function assembleImage<F extends FilesystemReader>(
  filesystems: readonly VolumeFilesystem[],
  diskUuids: readonly string[],
  opener: FilesystemOpener<F>,
): Promise<AssembledImage<F>> {
  const opened = once((source: VolumeFilesystem) => opener.open(source));
  const root = await findRoot(filesystems, { open: opened, peek: (source) => opener.peek(source) });
  const entries = parseFstab((await readText(root.filesystem, '/etc/fstab')) ?? '');
  const { mounts: table, ignored } = resolveMounts(entries, root.source, filesystems);
  const mounts = await Promise.all(
    table.map(async ({ mountPoint, source }) => {
      const filesystem = await opened(source);
      const { volumeId, partition } = source;
      return { mountPoint, volumeIds: [volumeId], partition, kind: filesystem.kind, filesystem };
    }),
  );
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

function once<K, V>(make: (key: K) => Promise<V>): (key: K) => Promise<V> {
  const made = new Map<K, Promise<V>>();
  return (key) => {
    const value = made.get(key) ?? make(key);
    made.set(key, value);
    return value;
  };
}

const UNKNOWN_OS = {
  id: 'linux',
  versionId: '',
  name: 'Linux',
  architecture: 'unknown',
  packageSystem: 'none',
} as const;

interface RootCandidate {
  readonly source: VolumeFilesystem;
  readonly filesystem: FilesystemReader;
}

/** Kinds that often hold a root and cannot be opened, most telling first. */
const unsupportedRoots = ['lvm2', 'luks', 'mdraid', 'btrfs', 'xfs'];

/**
 * A root has /etc/fstab or an os-release. Of several on the root volume (a rescue system beside the real one) it is the
 * one whose own fstab mounts it at `/`, else the first.
 */
async function findRoot(
  filesystems: readonly VolumeFilesystem[],
  opener: FilesystemOpener<FilesystemReader>,
): Promise<RootCandidate> {
  const onRootVolume = filesystems.filter((candidate) => candidate.onRootVolume);
  const candidates = onRootVolume.length > 0 ? onRootVolume : filesystems;
  const roots: RootCandidate[] = [];
  let problem: ImageElvesError | undefined;
  const readable = candidates.filter(({ kind }) => kind === 'ext4');
  for (const source of readable) {
    try {
      // One that is alone is part of the image or there is none; then its blocks are read once, not twice.
      const filesystem = await (readable.length === 1 ? opener.open(source) : opener.peek(source));
      if (await isRoot(filesystem)) roots.push({ source, filesystem });
    } catch (error) {
      if (!(error instanceof ImageElvesError)) throw error;
      problem ??= error;
    }
  }
  for (const root of roots.length > 1 ? roots : []) {
    const entries = parseFstab((await readText(root.filesystem, '/etc/fstab')) ?? '');
    const own = entries.find(({ mountPoint }) => mountPoint === '/');
    if (own && findSource(own, filesystems) === root.source) return root;
  }
  const [first] = roots;
  if (first) return first;
  throw problem ?? noRoot(candidates);
}

async function isRoot(filesystem: FilesystemReader): Promise<boolean> {
  for (const path of ['/etc/fstab', '/etc/os-release', '/usr/lib/os-release']) {
    if (await filesystem.lstat(path)) return true;
  }
  return false;
}

function noRoot(candidates: readonly VolumeFilesystem[]): ImageElvesError {
  for (const kind of unsupportedRoots) {
    const found = candidates.find((candidate) => candidate.kind === kind);
    if (found) return new UnsupportedFilesystemError(kind, placeOf(found));
  }
  const told = candidates.filter(({ kind, partition }) => kind !== 'unknown' || partition !== undefined);
  return new NoRootFilesystemError(told.map((candidate) => `${placeOf(candidate)}: ${candidate.kind}`));
}

function valuesOf(
  filesystems: readonly VolumeFilesystem[],
  field: 'uuid' | 'label' | 'partUuid',
): readonly string[] {
  const values = filesystems.flatMap((filesystem) => filesystem[field] ?? []);
  return [...new Set(values)].sort();
}
