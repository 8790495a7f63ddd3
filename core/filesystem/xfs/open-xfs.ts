import type { BlockReader } from '../../block-device/block-device';
import { UnsupportedFilesystemError } from '../errors';
import type { FilesystemReader } from '../filesystem';

export interface OpenXfsOptions {
  /** Memory for blocks of the device. */
  readonly cacheBytes?: number;
}

/**
 * Opens an XFS filesystem of version 4 or 5 for reading. The device is never written. What was deleted while still open
 * is not on any path.
 * @throws RecoveryNeededError when the log holds changes, UnsupportedFeatureError, CorruptFilesystemError
 */
export async function openXfs(
  _device: BlockReader,
  _options: OpenXfsOptions = {},
): Promise<FilesystemReader> {
  throw new UnsupportedFilesystemError('xfs', 'the device');
}
