import type { Digest } from '../chunk-store/chunk-store';
import { digestOf } from '../chunk-store/digest';
import type { Profile } from './profile';

/** Digest of a profile without the points of variation and without what only grows with use (sizes, free space). */
export function signatureOf({ os, packages, entries, filesystems }: Profile): Digest {
  const sorted = <T>(values: Readonly<Record<string, T>>): [string, T][] =>
    Object.entries(values).sort(([a], [b]) => (a < b ? -1 : 1));
  const canonical = JSON.stringify([
    [os.id, os.versionId, os.architecture, os.packageSystem],
    sorted(packages),
    sorted(entries),
    filesystems.map(({ mountPoint, kind }) => [mountPoint, kind]),
  ]);
  return digestOf(new TextEncoder().encode(canonical));
}
