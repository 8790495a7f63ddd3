import { RecoveryNeededError } from '../errors';
import { cycleOf, LOG_BLOCK_BYTES, LogBlocks } from './log-blocks';
import {
  isOfFilesystem,
  logSuperblockOnly,
  type LogRecord,
  OperationFlag,
  operationsOf,
  recordAt,
} from './log-record';
import type { Volume } from './volume';

/**
 * `clean`: unmounted, the log holds nothing. `settled`: all changes are where they belong and the log holds only counters
 * of the superblock, as in a frozen filesystem or one at rest. `dirty`: some changes stand in the log alone.
 */
export type LogState = 'clean' | 'settled' | 'dirty';

/** As far before its end as writes of the log may arrive out of order (XLOG_TOTAL_REC_SHIFT): eight of 256 KiB. */
const UNORDERED_BLOCKS = (8 * 256 * 1024) / LOG_BLOCK_BYTES;
/** What freezing or resting leaves in the log is a few records; more are not worth the reading. */
const MAX_SETTLED_BLOCKS = UNORDERED_BLOCKS;

/** @throws RecoveryNeededError when changes stand in the log alone */
export function assertLogIsClean(volume: Volume): void {
  if (logState(volume) === 'dirty') {
    throw new RecoveryNeededError('xfs', 'its log holds changes that are not in the filesystem yet');
  }
}

/**
 * What the log holds, found as the kernel finds it (fs/xfs/xfs_log_recover.c): the end of the newest records is where the
 * round number falls; the record before it is one of an unmount, or tells where a replay would begin. Whatever is not
 * evidently in order counts as dirty, for then it is the kernel that must look.
 */
export function logState(volume: Volume): LogState {
  const log = new LogBlocks(volume);
  const end = endOfLog(log);
  if (end === undefined) return 'clean';
  if (hasOlderBlocks(log, end)) return 'dirty';
  const last = lastWholeRecord(log, end.block);
  if (!last || !isOfFilesystem(last, volume.superblock.uuid)) return 'dirty';
  if (isUnmount(log, last)) return 'clean';
  return isSettled(log, last) ? 'settled' : 'dirty';
}

interface LogEnd {
  /** The first block that was not written in the newest round. */
  readonly block: number;
  /** The round before the newest: none of the blocks just before the end may have it. */
  readonly oldCycle: number;
}

/** Undefined for a log that was never written. */
function endOfLog(log: LogBlocks): LogEnd | undefined {
  const first = log.cycle(0);
  const last = log.cycle(log.count - 1);
  if (first === 0) return undefined;
  if (first === last) return { block: log.count, oldCycle: last - 1 };
  let newest = 0;
  let older = log.count - 1;
  while (older - newest > 1) {
    const middle = Math.floor((newest + older) / 2);
    if (log.cycle(middle) === last) older = middle;
    else newest = middle;
  }
  return { block: older, oldCycle: last };
}

/** After a crash a late block may be missing amid those that were written after it. */
function hasOlderBlocks(log: LogBlocks, { block, oldCycle }: LogEnd): boolean {
  const looked = Math.min(UNORDERED_BLOCKS, block);
  const bytes = log.read(block - looked, looked);
  for (let at = 0; at < bytes.length; at += LOG_BLOCK_BYTES) {
    if (cycleOf(bytes, at) === oldCycle) return true;
  }
  return false;
}

/**
 * The last record, which must end where the log ends. A record that was written in part was never in force, so then it is
 * the one before it.
 */
function lastWholeRecord(log: LogBlocks, end: number): LogRecord | undefined {
  const last = lastRecord(log, end);
  if (!last || endsAt(log, last, end)) return last;
  const before = lastRecord(log, last.block);
  return before && endsAt(log, before, last.block) ? before : undefined;
}

function endsAt(log: LogBlocks, { block, blocks }: LogRecord, end: number): boolean {
  return log.within(block + blocks) === log.within(end);
}

/** The last record that begins before a block. */
function lastRecord(log: LogBlocks, end: number): LogRecord | undefined {
  for (let back = 1; back <= Math.min(UNORDERED_BLOCKS, log.count - 1); back++) {
    const record = recordAt(log, end - back);
    if (record) return record;
  }
  return undefined;
}

/** The record that an unmount writes has one operation, which says so. */
function isUnmount(log: LogBlocks, record: LogRecord): boolean {
  if (record.operationCount !== 1) return false;
  const [operation] = operationsOf(log, record) ?? [];
  return operation !== undefined && (operation.flags & OperationFlag.UNMOUNT) !== 0;
}

/** Whether a replay would change nothing but the superblock's counters, which are counted anew after it. */
function isSettled(log: LogBlocks, last: LogRecord): boolean {
  if (last.tailBlock >= log.count) return false;
  const blocks = log.within(last.block + last.blocks - last.tailBlock);
  if (blocks === 0 || blocks > MAX_SETTLED_BLOCKS) return false;
  for (let done = 0; done < blocks;) {
    const record = recordAt(log, last.tailBlock + done);
    if (!record?.isLittleEndian || done + record.blocks > blocks) return false;
    const operations = operationsOf(log, record);
    if (!operations) return false;
    const isUnmountRecord = operations.length === 1 && (operations[0]!.flags & OperationFlag.UNMOUNT) !== 0;
    if (!isUnmountRecord && !logSuperblockOnly(operations)) return false;
    done += record.blocks;
  }
  return true;
}
