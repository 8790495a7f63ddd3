import type { BlockReader } from '../../block-device/block-device';
import { FaultingCache } from '../../block-device/faulting-cache';
import { CorruptFilesystemError } from '../errors';
import type { FilesystemReader } from '../filesystem';
import { checkReadable } from './features';
import { assertLogIsClean } from './log-state';
import { parseSuperblock, SUPERBLOCK_BYTES, type Superblock, verifySuperblock } from './superblock';
import { Volume } from './volume';
import { XfsReader } from './xfs-reader';

export interface OpenXfsOptions {
  /** Memory for blocks of the device. */
  readonly cacheBytes?: number;
}

/**
 * Opens an XFS filesystem of version 4 or 5 for reading. The device is never written. What was deleted while still open
 * is not on any path.
 * @throws RecoveryNeededError when the log holds changes, UnsupportedFeatureError, CorruptFilesystemError
 */
export async function openXfs(device: BlockReader, options: OpenXfsOptions = {}): Promise<FilesystemReader> {
  const { cacheBytes } = options;
  const cache = new FaultingCache(device, cacheBytes === undefined ? {} : { cacheBytes });
  const superblock = await readSuperblock(cache);
  await cache.run(() => assertLogIsClean(new Volume(cache, superblock)));
  return new XfsReader(cache, superblock);
}

/** @throws UnsupportedFeatureError, CorruptFilesystemError */
export async function readSuperblock(cache: FaultingCache): Promise<Superblock> {
  if (cache.sizeBytes < SUPERBLOCK_BYTES) {
    throw new CorruptFilesystemError('device too small for a filesystem', { sizeBytes: cache.sizeBytes });
  }
  return cache.run(() => {
    const superblock = parseSuperblock(cache.read(0, SUPERBLOCK_BYTES));
    verifySuperblock(cache.read(0, superblock.sectorSize), superblock);
    checkReadable(superblock);
    const filesystemBytes = superblock.blocksCount * superblock.blockSize;
    if (filesystemBytes > cache.sizeBytes) {
      throw new CorruptFilesystemError('filesystem larger than its device', {
        filesystemBytes,
        deviceBytes: cache.sizeBytes,
      });
    }
    return superblock;
  });
}
