import { type BlockDevice, SNAPSHOT_BLOCK_BYTES } from '../../../block-device/block-device';
import { BlockWindow } from '../../../block-device/block-window';
import { FaultingCache } from '../../../block-device/faulting-cache';
import type { FilesystemWriter } from '../../filesystem';
import { Ext4Reader } from '../ext4-reader';
import { checkReadable, checkWritable } from '../features';
import { openVolume, readSuperblock } from '../open-ext4';
import {
  parseSuperblock,
  type Superblock,
  SUPERBLOCK_BYTES,
  SUPERBLOCK_OFFSET_BYTES,
  writeSuperblock,
} from '../superblock';
import { VolumeReader } from '../volume-reader';
import { assertNotInUse, assertWritable } from './assert-writable';
import { Ext4Writer } from './ext4-writer';
import { processOrphans } from './process-orphans';
import { WriteSession } from './write-session';

export interface WritableOptions {
  /** Memory for blocks that were read. */
  readonly cacheBytes?: number;
  /** Where the volume starts within a snapshot block of its disk; taken from a BlockWindow by itself. */
  readonly areaShiftBytes?: number;
}

/**
 * Opens ext4 for changes. What the last mount left undone is done first, in the device: the journal is replayed and
 * marked empty, orphans are deleted or cut short.
 *
 * @throws UnsupportedFeatureError when a feature is on that only the kernel keeps consistent
 * @throws RefusedFilesystemError when nobody may change the volume
 * @throws FilesystemNotCleanError when the volume notes errors, or has no journal and was not unmounted
 * @throws CorruptFilesystemError
 */
export async function openExt4Writable(
  device: BlockDevice,
  { cacheBytes, areaShiftBytes }: WritableOptions = {},
): Promise<FilesystemWriter> {
  let cache = new FaultingCache(device, { cacheBytes });
  const found = await readSuperblock(cache);
  checkReadable(found);
  checkWritable(found);
  if (found.blockSize > cache.pageBytes) {
    cache = new FaultingCache(device, { cacheBytes, pageBytes: found.blockSize });
  }
  await assertNotInUse(cache, found);
  const { superblock } = await openVolume(cache);
  await assertWritable(cache, superblock);
  const shift = areaShiftBytes ?? (device instanceof BlockWindow ? device.offsetBytes : 0);
  const session = new WriteSession(shift % SNAPSHOT_BLOCK_BYTES);
  await processOrphans(cache, superblock, session);
  await correctTotals(cache, superblock);
  return new Ext4Writer(cache, superblock, new Ext4Reader(cache, superblock), session);
}

/** The descriptors' counts are the true ones: a volume that was frozen, not unmounted, may have old totals. */
async function correctTotals(cache: FaultingCache, superblock: Superblock): Promise<void> {
  const reader = new VolumeReader(cache, superblock);
  const [blocks, inodes, bytes] = await cache.run(() => {
    const groups = Array.from({ length: superblock.groupCount }, (_, group) => reader.descriptor(group));
    return [
      groups.reduce((sum, { freeBlocksCount }) => sum + freeBlocksCount, 0),
      groups.reduce((sum, { freeInodesCount }) => sum + freeInodesCount, 0),
      cache.read(SUPERBLOCK_OFFSET_BYTES, SUPERBLOCK_BYTES),
    ] as const;
  });
  const { freeBlocksCount, freeInodesCount } = parseSuperblock(bytes);
  if (freeBlocksCount !== blocks || freeInodesCount !== inodes) {
    await cache.transaction((transaction) => {
      const target = transaction.edit(SUPERBLOCK_OFFSET_BYTES, SUPERBLOCK_BYTES);
      writeSuperblock(target, { freeBlocksCount: blocks, freeInodesCount: inodes });
    });
  }
}
