import type { BlockReader } from '../block-device/block-device';
import { UnsupportedFilesystemError } from './errors';
import { openExt4 } from './ext4/open-ext4';
import { openFat } from './fat/open-fat';
import type { FilesystemReader } from './filesystem';
import { openXfs } from './xfs/open-xfs';

export interface OpenFilesystemOptions {
  /** Memory for blocks of the device. */
  readonly cacheBytes?: number;
}

type Open = (device: BlockReader, options: OpenFilesystemOptions) => Promise<FilesystemReader>;

/** The kinds that are read in TypeScript, by the names that detectFilesystem gives. */
const READERS: ReadonlyMap<string, Open> = new Map<string, Open>([
  ['ext4', openExt4],
  ['xfs', openXfs],
  ['vfat', openFat],
]);

/** True for kinds that are read without the kernel. */
export function hasReader(kind: string): boolean {
  return READERS.has(kind);
}

/**
 * Opens a filesystem of a kind that `hasReader` knows for reading. The device is never written.
 *
 * @throws RecoveryNeededError, UnsupportedFeatureError, CorruptFilesystemError
 */
export async function openFilesystem(
  kind: string,
  device: BlockReader,
  options: OpenFilesystemOptions = {},
): Promise<FilesystemReader> {
  const open = READERS.get(kind);
  if (open === undefined) throw new UnsupportedFilesystemError(kind, 'the device');
  return open(device, options);
}
