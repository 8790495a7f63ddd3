import { ImageElvesError } from '../errors';
import type { FilesystemReader } from '../filesystem/filesystem';
import { SubtreeReader } from '../filesystem/subtree-reader';
import { readText } from './follow-links';
import type { FilesystemOpener } from './assemble-image';
import { parseFstab } from './fstab';
import { NoRootFilesystemError } from './image-errors';
import { findSource } from './mount-source';
import { subvolumeOf } from './subvolume';
import { placeOf, type VolumeFilesystem } from './volume-filesystem';

export interface RootFilesystem {
  readonly source: VolumeFilesystem;
  /** btrfs only: the subvolume that is the root. */
  readonly subvolume: string | undefined;
  readonly filesystem: FilesystemReader;
}

/** Kinds that can hold a root. */
const ROOT_KINDS: ReadonlySet<string> = new Set(['ext4', 'xfs', 'btrfs']);
/** Kinds that often hold a root and cannot be opened, most telling first. */
const TELLING_KINDS = ['lvm2', 'luks', 'mdraid', 'btrfs', 'xfs'];
/** Names that installers give the subvolume of the root. */
const ROOT_SUBVOLUMES = ['@', '@rootfs', 'root'];
/** Directories of a btrfs that are looked at. */
const MOST_SUBVOLUMES = 256;

/**
 * A root has /etc/fstab or an os-release. Of several on the root volume (a rescue system beside the real one, snapshots
 * beside a subvolume) it is the one whose own fstab mounts it at `/`, else the first.
 *
 * @throws NoRootFilesystemError, or what stood in the way of looking
 */
export async function findRoot(
  filesystems: readonly VolumeFilesystem[],
  opener: FilesystemOpener<{ filesystem: FilesystemReader }>,
): Promise<RootFilesystem> {
  const onRootVolume = filesystems.filter((candidate) => candidate.onRootVolume);
  const candidates = onRootVolume.length > 0 ? onRootVolume : filesystems;
  const readable = candidates.filter(
    (candidate) => ROOT_KINDS.has(candidate.kind) && opener.refuse(candidate) === undefined,
  );
  // One that is alone is part of the image or there is none; then its blocks are read once, not twice.
  const looks = readable.length === 1 ? await openOne(readable[0]!, opener) : await opener.look(readable);
  const roots: RootFilesystem[] = [];
  let problem: ImageElvesError | undefined;
  for (const [index, look] of looks.entries()) {
    const source = readable[index]!;
    try {
      if (look instanceof ImageElvesError) throw look;
      roots.push(...(await rootsIn(source, look)));
    } catch (error) {
      if (!(error instanceof ImageElvesError)) throw error;
      problem ??= error;
    }
  }
  for (const root of roots.length > 1 ? roots : []) {
    const entries = parseFstab((await readText(root.filesystem, '/etc/fstab')) ?? '');
    const own = entries.find(({ mountPoint }) => mountPoint === '/');
    const isOwn = own && findSource(own, filesystems) === root.source;
    if (isOwn && subvolumeOf(own, root.source) === root.subvolume) return root;
  }
  const [first] = roots;
  if (first) return first;
  throw problem ?? noRoot(candidates, opener);
}

async function openOne(
  source: VolumeFilesystem,
  opener: FilesystemOpener<{ filesystem: FilesystemReader }>,
): Promise<(FilesystemReader | ImageElvesError)[]> {
  try {
    return [(await opener.open(source)).filesystem];
  } catch (error) {
    if (error instanceof ImageElvesError) return [error];
    throw error;
  }
}

async function rootsIn(source: VolumeFilesystem, filesystem: FilesystemReader): Promise<RootFilesystem[]> {
  if (await isRoot(filesystem)) return [{ source, subvolume: undefined, filesystem }];
  if (source.kind !== 'btrfs') return [];
  const found: RootFilesystem[] = [];
  for (const subvolume of await subvolumeNames(filesystem)) {
    const subtree = new SubtreeReader(filesystem, `/${subvolume}`);
    if (await isRoot(subtree)) found.push({ source, subvolume, filesystem: subtree });
  }
  return found;
}

/** Those with a usual name first. */
async function subvolumeNames(filesystem: FilesystemReader): Promise<string[]> {
  const entries = await filesystem.readdir('/');
  const names = entries.flatMap(({ name, type }) => (type === 'directory' ? [name] : []));
  const usual = ROOT_SUBVOLUMES.filter((name) => names.includes(name));
  const others = names.filter((name) => !usual.includes(name)).sort();
  return [...usual, ...others].slice(0, MOST_SUBVOLUMES);
}

async function isRoot(filesystem: FilesystemReader): Promise<boolean> {
  for (const path of ['/etc/fstab', '/etc/os-release', '/usr/lib/os-release']) {
    if (await filesystem.lstat(path)) return true;
  }
  return false;
}

function noRoot(
  candidates: readonly VolumeFilesystem[],
  opener: FilesystemOpener<{ filesystem: FilesystemReader }>,
): ImageElvesError {
  for (const kind of TELLING_KINDS) {
    const found = candidates.find((candidate) => candidate.kind === kind && candidate.isAssembled !== true);
    const refusal = found && opener.refuse(found);
    if (refusal) return refusal;
  }
  const told = candidates.filter(
    ({ kind, partition, isAssembled }) =>
      isAssembled !== true && (kind !== 'unknown' || partition !== undefined),
  );
  return new NoRootFilesystemError(told.map((candidate) => `${placeOf(candidate)}: ${candidate.kind}`));
}
