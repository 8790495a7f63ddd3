import { effectsOf } from '../footprint/effects';
import { installedStanzas } from '../footprint/package-relations';
import type { Image } from '../image/image';
import type { Operation } from '../manifest/manifest-schema';
import type { RecordingSummary } from '../recording/summarize-recording';
import { debianPackageFiles } from '../records/debian-package-files';

/**
 * Marks the files that dpkg replaces or removes without a look at them: those of a package that changes its version or
 * goes, that are no configuration files (Debian policy 10.7.3), and that no process of the update read. What a machine has
 * there, or that it has nothing, makes no difference then, as it makes none to an update online.
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
  const [had, has] = [await installedStanzas(before), await installedStanzas(after)];
  const unpacked = new Set([...packages].filter((key) => had.get(key)?.version !== has.get(key)?.version));
  const [filesBefore, filesAfter] = [await debianPackageFiles(before), await debianPackageFiles(after)];

  const linked = new Set(
    operations.flatMap((operation) => (operation.kind === 'make-hard-link' ? [operation.existingPath] : [])),
  );

  const isOverwritten = async ({ kind, path }: Operation): Promise<boolean> => {
    const owner = filesBefore.ownerOf(path);
    if (owner === undefined || !unpacked.has(owner) || linked.has(path)) return false;
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
