import type { FaultingCache } from '../../../block-device/faulting-cache';
import { CorruptFilesystemError, UnsupportedFeatureError } from '../../errors';
import { FilesystemNotCleanError } from '../../write-errors';
import { Compat } from '../features';
import { fileExtents } from '../file-extents';
import { parseJournalSuperblock } from '../journal';
import { STATE_CLEAN, STATE_ERRORS, type Superblock } from '../superblock';
import { VolumeReader } from '../volume-reader';

const JOURNAL_SUPERBLOCK_BYTES = 1024;

/**
 * What must hold of a volume, its journal replayed, before it is changed.
 *
 * The journal itself is looked at, not only the flag in the superblock: fsck would replay what it still holds over
 * everything that is written now.
 *
 * @throws FilesystemNotCleanError, UnsupportedFeatureError, CorruptFilesystemError
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
    throw new UnsupportedFeatureError(['external journal'], 'write');
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
