import { OverlayBlockDevice } from '../../core/block-device/overlay-block-device';
import { openExt4Writable } from '../../core/filesystem/ext4/write/open-ext4-writable';
import type { FilesystemWriter, Metadata } from '../../core/filesystem/filesystem';
import { FileBlockDevice } from './file-block-device';
import { flushOverlay } from './flush-overlay';

export interface Written<T> {
  readonly result: T;
  /** Snapshot blocks that had to be put. */
  readonly changedBlocks: number;
}

/**
 * Opens an ext4 image file, lets `change` work on it over an overlay, has the writer check itself, and writes back what
 * changed.
 */
export async function changeImage<T>(
  file: string,
  change: (filesystem: FilesystemWriter, overlay: OverlayBlockDevice) => Promise<T>,
): Promise<Written<T>> {
  await using base = await FileBlockDevice.open(file);
  const overlay = new OverlayBlockDevice(base);
  const filesystem = await openExt4Writable(overlay);
  const result = await change(filesystem, overlay);
  const problems = await filesystem.check();
  if (problems.length > 0) {
    throw new Error(`the writer's own check finds: ${problems.join('; ')}`);
  }
  return { result, changedBlocks: await flushOverlay(overlay, file) };
}

/** Metadata for tests: what is not said is usual. */
export function metadata(changes: Partial<Metadata> = {}): Metadata {
  return { mode: 0o644, uid: 0, gid: 0, mtimeNs: 1_700_000_000_000_000_000n, xattrs: new Map(), ...changes };
}
