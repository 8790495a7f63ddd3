import { effectsOf } from '../footprint/effects';
import type { Image } from '../image/image';
import type { Operation } from '../manifest/manifest-schema';
import type { RecordingSummary } from '../recording/summarize-recording';
import { installedPackages } from '../records/installed-packages';
import { packageFiles } from '../records/package-files';

/**
 * Marks the files that dpkg or rpm replaces or removes without a look at them: those of a package that changes its version
 * or goes, that are no configuration files (Debian policy 10.7.3), and that no process of the update read. What a machine
 * has there, or that it has nothing, makes no difference then, as it makes none to an update online.
 *
 * rpm asks what is there for `%config` files alone (rpmfilesDecideFate and rpmfilesConfigConflict in its lib/rpmfi.c, from
 * handleInstInstalledFile and handleOverlappedFiles in lib/transaction.c); all others are made beside and renamed into
 * place, or unlinked. With `%_minimize_writes` it reads one that is the same in both versions, which shows in the recording,
 * and leaves it when it is as it would be put. What it leaves alone, `%ghost` files and those of another architecture, has
 * no owner by `packageFiles`.
 *
 * @param recording without a whole one nothing is marked: who read what is not known
 */
export async function markOverwritten(
  operations: readonly Operation[],
  before: Image,
  after: Image,
  recording: RecordingSummary | undefined,
): Promise<Operation[]> {
  const { packages } = effectsOf(operations);
  if (recording?.lost !== false || packages.size === 0) return [...operations];
  const [had, has] = [await installedPackages(before), await installedPackages(after)];
  const unpacked = new Set([...packages].filter((key) => had.get(key)?.versions !== has.get(key)?.versions));
  const [filesBefore, filesAfter] = [await packageFiles(before), await packageFiles(after)];

  const linked = new Set(
    operations.flatMap((operation) => (operation.kind === 'make-hard-link' ? [operation.existingPath] : [])),
  );

  const isOverwritten = async ({ kind, path }: Operation): Promise<boolean> => {
    const owner = filesBefore.ownerOf(path);
    if (owner === undefined || !unpacked.has(owner) || linked.has(path)) return false;
    const version = filesBefore.versionOf(path);
    if (version !== undefined && filesAfter.versionOf(path) === version) return false;
    if (filesAfter.ownerOf(path) !== (kind === 'put-file' ? owner : undefined)) return false;
    if (filesBefore.isConfiguration(path) || filesAfter.isConfiguration(path)) return false;
    if (recording.paths.get(path)?.read === true) return false;
    return (await before.lstat(path))?.type === 'file';
  };
  return Promise.all(
    operations.map(async (operation): Promise<Operation> => {
      const { kind } = operation;
      if ((kind !== 'put-file' && kind !== 'remove') || operation.before === 'absent') return operation;
      if (!(await isOverwritten(operation))) return operation;
      const { beforeSizeBytes: _, ...rest } = operation;
      return { ...rest, overwrites: true };
    }),
  );
}
