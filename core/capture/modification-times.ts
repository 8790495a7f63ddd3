import type { Stat } from '../filesystem/filesystem';
import { parentOf } from '../manifest/image-path';
import type { Manifest, Operation } from '../manifest/manifest-schema';
import type { ChangedPath, Scan } from './changed-paths';

/**
 * Times that no operation sets: of entries whose content and metadata stayed while their time changed, and of the
 * directories that they and the operations' entries lie in. A directory that changed for another reason keeps its time
 * on each machine.
 */
export function modificationTimes(
  operations: readonly Operation[],
  candidates: readonly ChangedPath[],
  scans: { readonly before: Scan; readonly after: Scan },
): Manifest['times'] {
  const inOperations = new Set(operations.map(({ path }) => path));
  const written = candidates.filter(
    ({ path, before, after }) =>
      before !== undefined &&
      after !== undefined &&
      after.type !== 'directory' &&
      before.mtimeNs !== after.mtimeNs &&
      !inOperations.has(path),
  );
  const times = new Map(written.map(({ path, after }) => [path, after!]));
  for (const { path } of [...operations, ...written]) {
    const parent = parentOf(path);
    const stat = scans.after.get(parent);
    if (stat?.type === 'directory' && scans.before.get(parent)?.mtimeNs !== stat.mtimeNs)
      times.set(parent, stat);
  }
  return [...times].sort(byPath).map(([path, { mtimeNs }]) => ({ path, mtimeNs: String(mtimeNs) }));
}

function byPath([a]: [string, Stat], [b]: [string, Stat]): number {
  return a < b ? -1 : 1;
}
