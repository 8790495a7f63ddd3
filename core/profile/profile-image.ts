import type { Digest } from '../chunk-store/chunk-store';
import type { Footprint } from '../footprint/predict-footprint';
import { readEntry } from '../footprint/read-entry';
import type { Image } from '../image/image';
import { installedPackages } from '../records/installed-packages';
import { PROFILE_VERSION, type Profile, type ProfiledFilesystem } from './profile';

/** Reads the entries of a footprint, and what the image is, into a profile. */
export async function profileImage(image: Image, footprint: Footprint, instanceId: string): Promise<Profile> {
  const entries: Record<string, Digest | 'absent'> = {};
  for (const path of footprint.paths) await profileEntry(image, path, entries);
  const packages: Record<string, string> = {};
  if (footprint.packages) {
    const installed = [...(await installedPackages(image))].sort(([a], [b]) => (a < b ? -1 : 1));
    for (const [key, { versions }] of installed) packages[key] = versions;
  }
  const filesystems: ProfiledFilesystem[] = [];
  for (const { mountPoint, kind, filesystem } of image.mounts) {
    const { sizeBytes } = filesystem;
    filesystems.push({ mountPoint, kind, sizeBytes, freeBytes: await filesystem.freeBytes() });
  }
  const { os, identity } = image;
  return { version: PROFILE_VERSION, instanceId, os, packages, entries, identity, filesystems };
}

/** Of a directory every entry below counts, for a few levels: settings are not deeper. */
async function profileEntry(
  image: Image,
  path: string,
  entries: Record<string, Digest | 'absent'>,
  depth = 0,
): Promise<void> {
  const stat = await image.lstat(path);
  if (stat === undefined) {
    entries[path] = 'absent';
    return;
  }
  entries[path] = (await readEntry(image, path, stat)).digest;
  if (stat.type !== 'directory' || depth > 3) return;
  const names = (await image.readdir(path)).map(({ name }) => name).sort();
  for (const name of names) await profileEntry(image, `${path}/${name}`, entries, depth + 1);
}
