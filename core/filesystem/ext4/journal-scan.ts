import { CorruptFilesystemError, RecoveryNeededError } from '../errors';
import {
  holdsCommitChecksum,
  holdsTailChecksum,
  JournalBlockType,
  parseDescriptorBlock,
  parseJournalHeader,
  parseRevokeBlock,
  type JournalSuperblock,
  type JournalTag,
} from './journal';
import type { JournalLog } from './journal-log';

/** The replay is held in memory. What is longer is the kernel's, which has a disk to write it to. */
const MAX_REPLAYED_BYTES = 256 * 1024 * 1024;

/** The logged copy of one filesystem block that a finished transaction left. */
export interface LoggedBlock {
  readonly tag: JournalTag;
  /** Where in the journal the copy is. */
  readonly logBlock: number;
  readonly sequence: number;
}

export interface JournalScan {
  /** The newest copy of each block that is to be replayed, by filesystem block. */
  readonly replay: ReadonlyMap<number, LoggedBlock>;
  readonly transactions: number;
  /** Sequence of the transaction that was not finished any more. */
  readonly nextSequence: number;
}

/** What a transaction says before its commit block shows that it happened. */
interface OpenTransaction {
  readonly logged: LoggedBlock[];
  readonly revoked: number[];
}

/**
 * Reads the log from its start as jbd2's recovery does: transaction after transaction while sequence numbers go on and
 * commit blocks are whole. A last transaction without one never happened. A block that a transaction revokes is not
 * replayed from it or any earlier one.
 * @throws CorruptFilesystemError when the log is longer than its ring
 * @throws RecoveryNeededError when it holds more than memory should
 */
export async function scanJournal(
  log: Pick<JournalLog, 'ringBlocks' | 'next' | 'read'>,
  journal: JournalSuperblock,
): Promise<JournalScan> {
  const replay = new Map<number, LoggedBlock>();
  let sequence = journal.sequence;
  let transactions = 0;
  let position = journal.start;
  let consumed = 0;
  let open: OpenTransaction = { logged: [], revoked: [] };

  const take = (): number => {
    if (++consumed > log.ringBlocks) throw new CorruptFilesystemError('journal log runs into itself');
    const taken = position;
    position = log.next(position);
    return taken;
  };

  for (;;) {
    if (consumed >= log.ringBlocks) break;
    const block = await log.read(take());
    const header = parseJournalHeader(block);
    if (!header || header.sequence !== sequence) break;
    if (header.type === JournalBlockType.descriptor) {
      if (!holdsTailChecksum(block, journal)) break;
      for (const tag of parseDescriptorBlock(block, journal)) {
        open.logged.push({ tag, logBlock: take(), sequence });
      }
    } else if (header.type === JournalBlockType.revoke) {
      if (!holdsTailChecksum(block, journal)) break;
      open.revoked.push(...parseRevokeBlock(block, journal));
    } else if (header.type === JournalBlockType.commit) {
      if (!holdsCommitChecksum(block, journal)) break;
      finish(open, replay, journal.blockSize);
      open = { logged: [], revoked: [] };
      sequence = (sequence + 1) >>> 0;
      transactions += 1;
    } else {
      break;
    }
  }
  return { replay, transactions, nextSequence: sequence };
}

function finish(transaction: OpenTransaction, replay: Map<number, LoggedBlock>, blockSize: number): void {
  for (const logged of transaction.logged) replay.set(logged.tag.block, logged);
  for (const block of transaction.revoked) replay.delete(block);
  if (replay.size * blockSize > MAX_REPLAYED_BYTES) {
    throw new RecoveryNeededError('ext4', `its journal holds more than ${MAX_REPLAYED_BYTES} bytes`);
  }
}
