import type { FaultingCache } from '../../../block-device/faulting-cache';
import { writeU32 } from '../../../bytes/little-endian';
import { RoCompat } from '../features';
import { findOrphans, orphanBlockChecksum, type OrphanSlot } from '../orphans';
import { type Superblock, SUPERBLOCK_BYTES, SUPERBLOCK_OFFSET_BYTES, writeSuperblock } from '../superblock';
import { VolumeReader } from '../volume-reader';
import { truncateFileBlocks } from './file-blocks';
import { releaseInode } from './release-inode';
import { VolumeEdit } from './volume-edit';
import type { WriteSession } from './write-session';

/**
 * Does what the kernel does with orphans at the next mount: an inode without a name is deleted, one that was being
 * truncated is cut at its size. Then the list and the orphan file are empty.
 *
 * @throws CorruptFilesystemError
 */
export async function processOrphans(
  cache: FaultingCache,
  superblock: Superblock,
  session: WriteSession,
): Promise<void> {
  const { chain, slots } = await cache.run(() => findOrphans(new VolumeReader(cache, superblock)));
  const isPresent = (superblock.featureRoCompat & RoCompat.orphan_present) !== 0;
  if (chain.length === 0 && slots.length === 0 && !isPresent) {
    return;
  }
  await cache.transaction((transaction) => {
    const volume = new VolumeEdit(transaction, superblock, session);
    for (const number of new Set([...chain, ...slots.map(({ inode }) => inode)])) {
      processOrphan(volume, number);
    }
    clearSlots(volume, slots);
    volume.finish();
    writeSuperblock(volume.editBytes(SUPERBLOCK_OFFSET_BYTES, SUPERBLOCK_BYTES), {
      lastOrphan: 0,
      featureRoCompat: superblock.featureRoCompat & ~RoCompat.orphan_present,
    });
    volume.remember();
  });
}

function processOrphan(volume: VolumeEdit, number: number): void {
  const inode = volume.inode(number);
  if (inode.fields.links === 0) {
    releaseInode(volume, inode);
    return;
  }
  inode.fields.dtime = 0;
  inode.isChanged = true;
  truncateFileBlocks(volume, inode, Math.ceil(inode.fields.sizeBytes / volume.superblock.blockSize));
}

function clearSlots(volume: VolumeEdit, slots: readonly OrphanSlot[]): void {
  const { superblock } = volume;
  for (const { block, offset } of slots) {
    const bytes = volume.editBlock(block);
    writeU32(bytes, offset, 0);
    if (superblock.hasMetadataChecksums) {
      const { generation } = volume.inode(superblock.orphanFileInode).fields;
      writeU32(bytes, bytes.length - 4, orphanBlockChecksum(volume.reader, bytes, block, generation));
    }
  }
}
