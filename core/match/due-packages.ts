import type { Image } from '../image/image';
import type { Manifest } from '../manifest/manifest-schema';
import { installedPackages, packageRules } from '../records/installed-packages';
import type { Difference } from './difference';

/**
 * Packages that the update would bring up to date on this machine although it did not touch them on the representative,
 * which has them not, or newer. Such a machine would be patched in part only.
 */
export async function findDuePackages(manifest: Manifest, image: Image): Promise<Difference[]> {
  const { due } = manifest;
  if (due === undefined) return [];
  const { recordPaths, compareVersions } = packageRules(image.os.packageSystem);
  const path = recordPaths[0]!;
  const touched = new Set(
    manifest.operations.flatMap((operation) =>
      operation.kind === 'put-record' && recordPaths.includes(operation.path)
        ? operation.records.map(({ key }) => key)
        : [],
    ),
  );
  const notOffered = due.notOffered && new Set(due.notOffered);
  const differences: Difference[] = [];
  for (const [key, found] of await installedPackages(image)) {
    const candidate = Object.hasOwn(due.candidates, key) ? due.candidates[key] : undefined;
    if (touched.has(key) || found.held) continue;
    if (candidate === undefined) {
      if (notOffered === undefined || notOffered.has(key)) continue;
      differences.push({
        path,
        record: key,
        expected: 'a package of which it is known whether the update is due for it',
        found: found.version,
        why: 'no machine had this package when the update was captured, so that it is not known whether it is due for it',
      });
      continue;
    }
    if (due.keptBack[key] === found.version || compareVersions(candidate, found.version) <= 0) continue;
    differences.push({
      path,
      record: key,
      expected: candidate,
      found: found.version,
      why: 'the update is due for this package here, and the representative does not have it in this version',
    });
  }
  return differences;
}

/**
 * Packages that the update brings and that this machine has already: there it would not have brought them, nor marked them as
 * brought along. Nothing to ask of a machine on which the update was made.
 */
export async function findPackagesBrought(manifest: Manifest, image: Image): Promise<Difference[]> {
  const { recordPaths } = packageRules(image.os.packageSystem);
  const brought = manifest.operations.flatMap((operation) =>
    operation.kind === 'put-record' && recordPaths.includes(operation.path)
      ? operation.records
          .filter(({ before, after }) => before === 'absent' && after !== 'absent')
          .map(({ key }) => ({ path: operation.path, key }))
      : [],
  );
  if (brought.length === 0) return [];
  const installed = await installedPackages(image);
  return brought.flatMap(({ path, key }) => {
    const found = installed.get(key);
    if (found === undefined) return [];
    const why = 'the update brings this package, and this machine has it already';
    return [{ path, record: key, expected: 'absent', found: found.version, why }];
  });
}
