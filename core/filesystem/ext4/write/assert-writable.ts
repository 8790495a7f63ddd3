import type { FaultingCache } from '../../../block-device/faulting-cache';
import { readU32 } from '../../../bytes/little-endian';
import { CorruptFilesystemError } from '../../errors';
import { FilesystemNotCleanError, RefusedFilesystemError } from '../../write-errors';
import { Compat, Incompat } from '../features';
import { fileExtents } from '../file-extents';
import { parseJournalSuperblock } from '../journal';
import { STATE_CLEAN, STATE_ERRORS, type Superblock } from '../superblock';
import { VolumeReader } from '../volume-reader';

const JOURNAL_SUPERBLOCK_BYTES = 1024;
const MMP_MAGIC = 0x004d4d50;
/** What a mount leaves there when it ends; while it lasts, a number that grows. */
const MMP_SEQUENCE_CLEAN = 0xff4d4d50;

/**
 * What must hold of a volume, its journal replayed, before it is changed.
 *
 * The journal itself is looked at, not only the flag in the superblock: fsck would replay what it still holds over
 * everything that is written now.
 *
 * @throws FilesystemNotCleanError, RefusedFilesystemError, CorruptFilesystemError
 */
export async function assertWritable(cache: FaultingCache, superblock: Superblock): Promise<void> {
  if (superblock.state & STATE_ERRORS) {
    throw new FilesystemNotCleanError('it notes errors that fsck has not seen yet');
  }
  if ((superblock.featureCompat & Compat.has_journal) === 0) {
    if ((superblock.state & STATE_CLEAN) === 0) {
      throw new FilesystemNotCleanError('it has no journal and was not unmounted');
    }
    return;
  }
  if (superblock.journalInode === 0) {
    throw new RefusedFilesystemError('ext4', 'its journal is on another device', ['external journal']);
  }
  const journal = await cache.run(() => {
    const volume = new VolumeReader(cache, superblock);
    const [first] = fileExtents(volume, superblock.journalInode, volume.inode(superblock.journalInode));
    if (first === undefined || first.logicalBlock !== 0) {
      throw new CorruptFilesystemError('journal without content');
    }
    return parseJournalSuperblock(
      cache.read(first.physicalBlock * superblock.blockSize, JOURNAL_SUPERBLOCK_BYTES),
    );
  });
  if (journal.start !== 0) {
    throw new FilesystemNotCleanError('its journal holds changes although it is not marked for recovery');
  }
  if (journal.errorNumber !== 0) {
    throw new FilesystemNotCleanError(`its journal notes the error ${journal.errorNumber}`);
  }
}

/**
 * What multiple mount protection says (kernel Documentation/filesystems/ext4/mmp.rst).
 * @throws RefusedFilesystemError when a mount claims the volume, or did so when its machine stopped
 */
export async function assertNotInUse(cache: FaultingCache, superblock: Superblock): Promise<void> {
  if ((superblock.featureIncompat & Incompat.mmp) === 0) {
    return;
  }
  const block = await cache.run(() => new VolumeReader(cache, superblock).block(superblock.mmpBlock));
  if (readU32(block, 0) !== MMP_MAGIC) {
    throw new CorruptFilesystemError('block of multiple mount protection', { block: superblock.mmpBlock });
  }
  if (readU32(block, 4) !== MMP_SEQUENCE_CLEAN) {
    throw new RefusedFilesystemError('ext4', 'its mmp block says that it is in use', ['mmp in use']);
  }
}
