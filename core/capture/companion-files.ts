import type { RecordCodec } from '../records/record-codec';
import type { ChangedPath, Scan } from './changed-paths';

/** A change with those of the files that are one unit with it (RecordCodec.companions). */
export interface ChangedUnit extends ChangedPath {
  readonly companions?: readonly ChangedPath[];
}

/**
 * Puts companions of record files behind the files that they belong to. A database that changed in its write-ahead log
 * alone has changed, although its own file did not.
 */
export function joinCompanions(
  changed: readonly ChangedPath[],
  scans: { readonly before: Scan; readonly after: Scan },
  codecFor: (path: string) => RecordCodec | undefined,
): ChangedUnit[] {
  const companions = new Map<string, ChangedPath[]>();
  const others: ChangedPath[] = [];
  for (const change of changed) {
    const owner = ownerOf(change.path, scans, codecFor);
    if (owner === undefined) others.push(change);
    else companions.set(owner, [...(companions.get(owner) ?? []), change]);
  }
  const named = new Set(others.map(({ path }) => path));
  for (const path of companions.keys()) {
    if (!named.has(path)) others.push({ path, before: scans.before.get(path), after: scans.after.get(path) });
  }
  return others
    .map((change) => {
      const own = companions.get(change.path);
      return own === undefined ? change : { ...change, companions: own };
    })
    .sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** The record file that a path is a companion of, where there is one. */
function ownerOf(
  path: string,
  { before, after }: { readonly before: Scan; readonly after: Scan },
  codecFor: (path: string) => RecordCodec | undefined,
): string | undefined {
  // `-wal`, `-shm`, `-journal`: an ending starts with the last dash.
  const dash = path.lastIndexOf('-');
  if (dash <= path.lastIndexOf('/')) return undefined;
  const owner = path.slice(0, dash);
  if (!codecFor(owner)?.companions?.includes(path.slice(dash))) return undefined;
  return before.has(owner) || after.has(owner) ? owner : undefined;
}
