import { digestOf } from '../chunk-store/digest';
import type { Image } from '../image/image';
import type { Manifest } from '../manifest/manifest-schema';
import { aptExtendedStatesCodec } from '../records/apt-extended-states';
import { installedPackages, packageRules } from '../records/installed-packages';
import { readRecordFile } from '../records/read-record-file';
import type { RecordFile } from '../records/record-codec';
import { RecordFormatError } from '../records/record-errors';
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

/** apt's marks of what it brought along (apt-mark(8)); dnf's reasons stay each machine's own. */
const APT_MARKS_PATH = '/var/lib/apt/extended_states';

/**
 * Packages that the update brings along and that this machine has already, and not as one that was brought along: there the
 * update would not have marked it so, and apt would not remove it when nothing needs it any more. Nothing to ask of a machine on which the update was made.
 */
export async function findPackagesBrought(manifest: Manifest, image: Image): Promise<Difference[]> {
  const marked = manifest.operations.flatMap((operation) =>
    operation.kind === 'put-record' && operation.path === APT_MARKS_PATH
      ? operation.records.filter(({ before, after }) => before === 'absent' && after !== 'absent')
      : [],
  );
  if (marked.length === 0) return [];
  const { recordPaths, nameOf } = packageRules(image.os.packageSystem);
  const installed = await installedPackages(image);
  const own = await marksOf(image);
  return marked.flatMap(({ key, after }) => {
    // apt names the machine's own architecture also where a package is for all of them.
    const found = installed.get(key) ?? installed.get(`${nameOf(key)}:all`);
    const mark = own?.get(key);
    if (found === undefined || (mark !== undefined && digestOf(mark) === after)) return [];
    const why = 'the update brings this package along, and this machine has it already';
    return [
      { path: recordPaths[0] ?? APT_MARKS_PATH, record: key, expected: 'absent', found: found.version, why },
    ];
  });
}

/** Undefined where there are none that can be read: the machine counts as without marks then. */
async function marksOf(image: Image): Promise<RecordFile['records'] | undefined> {
  if ((await image.lstat(APT_MARKS_PATH))?.type !== 'file') return undefined;
  try {
    return (await readRecordFile(image, APT_MARKS_PATH, aptExtendedStatesCodec)).records;
  } catch (error) {
    if (error instanceof RecordFormatError) return undefined;
    throw error;
  }
}
