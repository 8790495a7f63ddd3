import type { ByteRange } from '../../block-device/block-device';
import type { FaultingCache } from '../../block-device/faulting-cache';
import { writeU32BE } from '../../bytes/big-endian';
import { readU16, readU32 } from '../../bytes/little-endian';
import { CorruptFilesystemError, RecoveryNeededError, UnsupportedFeatureError } from '../errors';
import { descriptorOffsetBytes } from './descriptor-location';
import { Incompat } from './features';
import { fileExtents } from './file-extents';
import { parseGroupDescriptor } from './group-descriptor';
import {
  holdsTagChecksum,
  JOURNAL_MAGIC,
  JournalIncompat,
  parseJournalSuperblock,
  writeCleanJournal,
  type JournalSuperblock,
} from './journal';
import { JournalLog } from './journal-log';
import { scanJournal, type LoggedBlock } from './journal-scan';
import {
  parseSuperblock,
  STATE_ERRORS,
  SUPERBLOCK_BYTES,
  SUPERBLOCK_OFFSET_BYTES,
  writeSuperblock,
  type Superblock,
} from './superblock';
import { VolumeReader } from './volume-reader';

const JOURNAL_SUPERBLOCK_BYTES = 1024;
/** First word of a fast-commit area: tag HEAD (9), eight bytes of value (kernel fs/ext4/fast_commit.h). */
const FAST_COMMIT_HEAD = 9;

const KNOWN_INCOMPAT = Object.values(JournalIncompat).reduce((all, bit) => all | bit, 0);

export interface JournalWrite {
  readonly offsetBytes: number;
  readonly bytes: Uint8Array;
}

/** What must be written to a volume, in this order, so that it is as the kernel's own recovery would leave it. */
export interface RecoveredJournal {
  readonly writes: readonly JournalWrite[];
  readonly transactions: number;
  readonly replayedBlocks: number;
}

export function needsRecovery(superblock: Superblock): boolean {
  return (superblock.featureIncompat & Incompat.needs_recovery) !== 0;
}

/**
 * Works out the replay of the jbd2 journal of a volume that was not unmounted. Nothing is written: `applyRecovery` does
 * that, or the caller. The last write clears needs_recovery and sets the superblock's totals from the descriptors.
 * Orphans are left for others (orphans.ts).
 *
 * @throws UnsupportedFeatureError for an external journal or unknown journal features
 * @throws RecoveryNeededError when the log is of a kind that only the kernel replays
 * @throws CorruptFilesystemError when the journal is damaged
 */
export async function recoverJournal(
  cache: FaultingCache,
  superblock: Superblock,
): Promise<RecoveredJournal> {
  const number = superblock.journalInode;
  if (number === 0) throw new UnsupportedFeatureError(['journal on another device'], 'read');
  const volume = new VolumeReader(cache, superblock);
  const { extents, first } = await cache.run(() => {
    const inode = volume.inode(number);
    const extents = fileExtents(volume, number, inode);
    const first = extents[0];
    if (!first || first.logicalBlock !== 0) throw new CorruptFilesystemError('journal without content');
    return { extents, first: { inode, offsetBytes: first.physicalBlock * superblock.blockSize } };
  });
  const journalBytes = await cache.run(() => cache.read(first.offsetBytes, JOURNAL_SUPERBLOCK_BYTES).slice());
  const journal = parseJournalSuperblock(journalBytes);
  checkJournal(journal, superblock, first.inode.sizeBytes);

  const replayed = new Map<number, Uint8Array>();
  let transactions = 0;
  if (journal.start !== 0) {
    refuseUncheckedCommits(journal);
    const log = new JournalLog(cache, extents, journal);
    const scan = await scanJournal(log, journal);
    await refuseFastCommits(log, scan.nextSequence);
    for (const [block, logged] of scan.replay) {
      volume.checkBlocks(Math.max(block, 1), 1);
      replayed.set(block, await loggedContent(log, logged, journal));
    }
    transactions = scan.transactions;
    // One further on than the unfinished transaction, so that its remains can never be taken for a new one.
    writeCleanJournal(journalBytes, (scan.nextSequence + 1) >>> 0);
  }

  const superblockBytes = await recoveredSuperblock(cache, superblock, replayed, journal);
  const writes: JournalWrite[] = [];
  for (const [block, bytes] of replayed) writes.push({ offsetBytes: block * superblock.blockSize, bytes });
  writes.push({ offsetBytes: first.offsetBytes, bytes: journalBytes });
  writes.push({ offsetBytes: SUPERBLOCK_OFFSET_BYTES, bytes: superblockBytes });
  return { writes, transactions, replayedBlocks: replayed.size };
}

/** Writes a recovery through the cache, so that it and its device agree. */
export async function applyRecovery(cache: FaultingCache, recovered: RecoveredJournal): Promise<void> {
  await cache.transaction((transaction) => {
    for (const { offsetBytes, bytes } of recovered.writes) transaction.write(offsetBytes, bytes);
  });
}

function checkJournal(journal: JournalSuperblock, superblock: Superblock, journalFileBytes: number): void {
  const unknown = journal.featureIncompat & ~KNOWN_INCOMPAT;
  if (unknown !== 0)
    throw new UnsupportedFeatureError([`journal incompat 0x${unknown.toString(16)}`], 'read');
  if (journal.blockSize !== superblock.blockSize || journal.blocks * journal.blockSize > journalFileBytes) {
    throw new CorruptFilesystemError('journal geometry', {
      blockSize: journal.blockSize,
      blocks: journal.blocks,
      journalFileBytes,
    });
  }
}

/** Such a commit block may reach the disk before the blocks that it commits; without tag checksums nothing here tells. */
function refuseUncheckedCommits(journal: JournalSuperblock): void {
  const isAsync = (journal.featureIncompat & JournalIncompat.async_commit) !== 0;
  if (isAsync && !journal.hasChecksums) {
    throw new RecoveryNeededError('ext4', 'its journal was written with the option journal_async_commit');
  }
}

/** Fast commits are logical records that only a replay of their own understands. Old ones carry an old sequence. */
async function refuseFastCommits(log: JournalLog, nextSequence: number): Promise<void> {
  if (log.fastCommitStart === undefined) return;
  const block = await log.read(log.fastCommitStart);
  const isPending = readU16(block, 0) === FAST_COMMIT_HEAD && readU32(block, 8) === nextSequence;
  if (isPending) throw new RecoveryNeededError('ext4', 'its journal holds fast commits');
}

async function loggedContent(
  log: JournalLog,
  logged: LoggedBlock,
  journal: JournalSuperblock,
): Promise<Uint8Array> {
  const data = await log.read(logged.logBlock);
  if (!holdsTagChecksum(logged.tag, data, logged.sequence, journal)) {
    throw new CorruptFilesystemError('logged block in the journal does not match its checksum', {
      block: logged.tag.block,
      logBlock: logged.logBlock,
    });
  }
  const content = data.slice();
  if (logged.tag.escaped) writeU32BE(content, 0, JOURNAL_MAGIC);
  return content;
}

/**
 * The superblock after the replay. Its totals were not kept up while mounted; the descriptors' were. An error that the
 * journal noted becomes the volume's.
 */
async function recoveredSuperblock(
  cache: FaultingCache,
  before: Superblock,
  replayed: ReadonlyMap<number, Uint8Array>,
  journal: JournalSuperblock,
): Promise<Uint8Array> {
  const { blockSize } = before;
  const read = (offsetBytes: number, lengthBytes: number): Uint8Array => {
    const block = replayed.get(Math.floor(offsetBytes / blockSize));
    const within = offsetBytes % blockSize;
    return block ? block.subarray(within, within + lengthBytes) : cache.read(offsetBytes, lengthBytes);
  };
  return cache.run(() => {
    const bytes = read(SUPERBLOCK_OFFSET_BYTES, SUPERBLOCK_BYTES).slice();
    const superblock = parseSuperblock(bytes);
    let freeBlocksCount = 0;
    let freeInodesCount = 0;
    for (let group = 0; group < superblock.groupCount; group++) {
      const range: ByteRange = {
        offsetBytes: descriptorOffsetBytes(superblock, group),
        lengthBytes: superblock.descriptorSize,
      };
      const descriptor = parseGroupDescriptor(read(range.offsetBytes, range.lengthBytes), superblock);
      freeBlocksCount += descriptor.freeBlocksCount;
      freeInodesCount += descriptor.freeInodesCount;
    }
    writeSuperblock(bytes, {
      freeBlocksCount: freeBlocksCount * (superblock.clusterSize / blockSize),
      freeInodesCount,
      featureIncompat: superblock.featureIncompat & ~Incompat.needs_recovery,
      state: journal.errorNumber === 0 ? superblock.state : superblock.state | STATE_ERRORS,
    });
    return bytes;
  });
}
