import type { BlockReader } from '../../block-device/block-device';
import { FaultingCache } from '../../block-device/faulting-cache';
import { CorruptFilesystemError } from '../errors';
import type { FilesystemReader } from '../filesystem';
import { readDirectory } from './directory';
import { FatReader, labelOf } from './fat-reader';
import { FatVolume } from './fat-volume';
import { BOOT_SECTOR_BYTES, parseBootSector } from './geometry';

export interface OpenFatOptions {
  /** Memory for blocks of the device. */
  readonly cacheBytes?: number;
}

/**
 * Opens a FAT12, FAT16 or FAT32 filesystem for reading. The device is never written.
 * @throws CorruptFilesystemError
 */
export async function openFat(device: BlockReader, options: OpenFatOptions = {}): Promise<FilesystemReader> {
  const { cacheBytes } = options;
  const cache = new FaultingCache(device, cacheBytes === undefined ? {} : { cacheBytes });
  if (device.sizeBytes < BOOT_SECTOR_BYTES)
    throw new CorruptFilesystemError('device too small for FAT', { sizeBytes: device.sizeBytes });
  const geometry = await cache.run(() => parseBootSector(cache.read(0, BOOT_SECTOR_BYTES)));
  if (geometry.sizeBytes > device.sizeBytes) {
    throw new CorruptFilesystemError('filesystem larger than its device', {
      filesystemBytes: geometry.sizeBytes,
      deviceBytes: device.sizeBytes,
    });
  }
  const label = await cache.run(() => {
    const volume = new FatVolume(cache, geometry);
    const { root } = geometry;
    const head = 'cluster' in root ? volume.chain(root.cluster, 1) : [root];
    return labelOf(geometry, readDirectory(volume, head));
  });
  return new FatReader(cache, geometry, label);
}
