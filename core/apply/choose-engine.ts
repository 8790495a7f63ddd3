import { UnsupportedFilesystemError } from '../filesystem/errors';
import { FilesystemNotCleanError, RefusedFilesystemError } from '../filesystem/write-errors';
import type { LinuxKernel } from '../filesystem/linux-kernel';
import type { ApplyEngine, WritableMount } from './apply-engine';
import { DirectEngine, placeOf } from './direct-engine';
import { KernelEngine } from './kernel-engine';

/** The mounts that hold these paths, in the order of `mounts`. */
export function touchedMounts(
  mounts: readonly WritableMount[],
  paths: Iterable<string>,
): readonly WritableMount[] {
  const touched = new Set<WritableMount>();
  for (const path of paths) touched.add(placeOf(mounts, path).mount);
  return mounts.filter((mount) => touched.has(mount));
}

/**
 * Direct where our own writers serve every filesystem that is changed, for that is fastest; else the kernel, for all of
 * them, so that one image is written by one engine.
 *
 * @param mounts those that are changed
 * @throws the refusal of a mount that neither may write, or, without a kernel, of the first that has no writer
 */
export function chooseEngine(mounts: readonly WritableMount[], kernel: LinuxKernel | undefined): ApplyEngine {
  const refused = mounts.find(
    ({ refusal }) => refusal instanceof RefusedFilesystemError || refusal instanceof FilesystemNotCleanError,
  );
  if (refused?.refusal !== undefined) throw refused.refusal;
  const closed = mounts.find(({ writer }) => writer === undefined);
  if (closed === undefined) return new DirectEngine();
  if (kernel === undefined)
    throw closed.refusal ?? new UnsupportedFilesystemError(closed.kind, closed.mountPoint);
  return new KernelEngine(kernel);
}
