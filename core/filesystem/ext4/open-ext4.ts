import type { BlockDevice, BlockReader } from '../../block-device/block-device';
import type { BlockMemory } from '../../block-device/block-memory';
import { FaultingCache, type FaultingCacheOptions } from '../../block-device/faulting-cache';
import { CorruptFilesystemError } from '../errors';
import type { FilesystemReader } from '../filesystem';
import { descriptorRanges } from './descriptor-location';
import { Ext4Reader } from './ext4-reader';
import { checkReadable } from './features';
import { applyRecovery, needsRecovery, recoverJournal, type RecoveredJournal } from './journal-recovery';
import {
  parseSuperblock,
  SUPERBLOCK_BYTES,
  SUPERBLOCK_OFFSET_BYTES,
  verifySuperblock,
  type Superblock,
} from './superblock';

export interface OpenExt4Options {
  /** Memory for blocks of the device. */
  readonly cacheBytes?: number;
}

/** A volume whose superblock holds, whose features can be read, and whose journal is replayed. */
export interface OpenVolume {
  readonly superblock: Superblock;
  /** Undefined when the volume was clean. */
  readonly recovered: RecoveredJournal | undefined;
}

/**
 * Opens an ext2, ext3 or ext4 filesystem for reading. A journal that needs recovery is replayed in memory; the device is
 * never written. What was deleted while still open is not on any path.
 * @throws UnsupportedFeatureError, CorruptFilesystemError
 */
export async function openExt4(
  device: BlockReader,
  options: OpenExt4Options = {},
): Promise<FilesystemReader> {
  const cache = new FaultingCache(new UnwrittenDevice(device), cacheOptions(options));
  const { superblock } = await openVolume(cache);
  return new Ext4Reader(cache, superblock);
}

/**
 * What opening for reading and for writing have in common. A replay is written through the cache, so its device must be
 * one that can be written.
 * @throws UnsupportedFeatureError, CorruptFilesystemError
 */
export async function openVolume(cache: FaultingCache): Promise<OpenVolume> {
  const superblock = await readSuperblock(cache);
  checkReadable(superblock);
  if (superblock.blocksCount * superblock.blockSize > cache.sizeBytes) {
    throw new CorruptFilesystemError('filesystem larger than its device', {
      filesystemBytes: superblock.blocksCount * superblock.blockSize,
      deviceBytes: cache.sizeBytes,
    });
  }
  await cache.prefetch(descriptorRanges(superblock));
  if (!needsRecovery(superblock)) return { superblock, recovered: undefined };
  const recovered = await recoverJournal(cache, superblock);
  await applyRecovery(cache, recovered);
  return { superblock: await readSuperblock(cache), recovered };
}

/** @throws CorruptFilesystemError */
export async function readSuperblock(cache: FaultingCache): Promise<Superblock> {
  if (cache.sizeBytes < SUPERBLOCK_OFFSET_BYTES + SUPERBLOCK_BYTES) {
    throw new CorruptFilesystemError('device too small for a filesystem', { sizeBytes: cache.sizeBytes });
  }
  return cache.run(() => {
    const bytes = cache.read(SUPERBLOCK_OFFSET_BYTES, SUPERBLOCK_BYTES);
    const superblock = parseSuperblock(bytes);
    verifySuperblock(bytes);
    return superblock;
  });
}

function cacheOptions({ cacheBytes }: OpenExt4Options): FaultingCacheOptions {
  return cacheBytes === undefined ? {} : { cacheBytes };
}

/** Lets a journal be replayed over a device that is only read: the cache keeps every page it has changed. */
class UnwrittenDevice implements BlockDevice {
  readonly sizeBytes: number;

  constructor(private readonly base: BlockReader) {
    this.sizeBytes = base.sizeBytes;
  }

  get memory(): BlockMemory | undefined {
    return this.base.memory;
  }

  async read(offsetBytes: number, lengthBytes: number): Promise<Uint8Array> {
    return this.base.read(offsetBytes, lengthBytes);
  }

  async write(): Promise<void> {
    // Nothing to do: the cache answers from its changed pages before it asks the device.
  }
}
