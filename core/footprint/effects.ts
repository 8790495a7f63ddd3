import { parentOf } from '../manifest/image-path';
import type { Operation } from '../manifest/manifest-schema';
import { packageRules } from '../records/installed-packages';

/** What an update writes: it is compared by the operations, and takes no part in what was read. */
export interface Effects {
  readonly paths: ReadonlySet<string>;
  /** Names that are written, by their directory. */
  readonly names: ReadonlyMap<string, ReadonlySet<string>>;
  /** Keys of the records that are put, by the record file. */
  readonly records: ReadonlyMap<string, ReadonlySet<string>>;
  /** Keys of packages that are changed, as their system has them. */
  readonly packages: ReadonlySet<string>;
}

const PACKAGE_DATABASES = (['dpkg', 'rpm'] as const).flatMap((system) => packageRules(system).recordPaths);

export function effectsOf(operations: readonly Operation[]): Effects {
  const paths = new Set(operations.map(({ path }) => path));
  const names = new Map<string, Set<string>>();
  for (const path of paths) {
    const folder = parentOf(path);
    const known = names.get(folder) ?? new Set();
    names.set(folder, known.add(path.slice(path.lastIndexOf('/') + 1)));
  }
  const records = new Map<string, Set<string>>();
  for (const operation of operations) {
    if (operation.kind !== 'put-record') continue;
    const known = records.get(operation.path) ?? new Set();
    for (const { key } of operation.records) known.add(key);
    records.set(operation.path, known);
  }
  const packages = new Set(PACKAGE_DATABASES.flatMap((path) => [...(records.get(path) ?? [])]));
  return { paths, names, records, packages };
}
