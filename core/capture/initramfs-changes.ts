import type { Image } from '../image/image';
import { comparableContent, isInitramfs } from '../initramfs/initramfs-content';
import type { Operation } from '../manifest/manifest-schema';
import { neutralEntryDigest } from '../variation/neutral-entry';
import { variationOf } from '../variation/variation';

/**
 * Every machine makes its initramfs itself, so that no two have the same bytes. What an update expects of one is therefore
 * compared by content: a machine whose own unpacks to the same takes the representative's new one.
 *
 * @param before the representative before the update
 */
export async function compareInitramfsByContent(
  operations: readonly Operation[],
  before: Image,
): Promise<{ operations: Operation[]; warnings: string[] }> {
  const warnings: string[] = [];
  const compared: Operation[] = [];
  for (const operation of operations) {
    compared.push((await byContent(operation)) ?? operation);
  }
  return { operations: compared, warnings };

  async function byContent(operation: Operation): Promise<Operation | undefined> {
    const { kind, path } = operation;
    if (!isInitramfs(path) || (kind !== 'put-file' && kind !== 'remove' && kind !== 'set-metadata')) return;
    const stat = operation.before === 'absent' ? undefined : await before.lstat(path);
    if (stat?.type !== 'file') return;
    if (comparableContent(path, await before.readFile(path)) === undefined) {
      warnings.push(
        `${path} cannot be read as an initramfs, so that other machines must have its very bytes`,
      );
      return;
    }
    const { digest } = await neutralEntryDigest(before, path, stat, await variationOf(before));
    const { beforeSizeBytes: _, ...rest } = operation;
    return { ...rest, beforeNeutral: digest };
  }
}
