import type { FaultingCache } from '../../../block-device/faulting-cache';
import { Transaction } from '../../../block-device/transaction';
import { ImageElvesError } from '../../../errors';
import { parseSuperblock, SUPERBLOCK_BYTES, SUPERBLOCK_OFFSET_BYTES, verifySuperblock } from '../superblock';
import type { Superblock } from '../superblock';
import { countSetBits, nextSetBit } from './bitmap';
import { type Claim, differs } from './check-findings';
import { checkInode } from './check-inode';
import { VolumeEdit } from './volume-edit';
import type { WriteSession } from './write-session';

/** Inodes that share one reading of the bitmaps that they are compared with. */
const INODES_AT_ONCE = 256;

/**
 * Checks everything that a writer has touched as fsck would: checksums, bitmaps against the blocks of files, counts
 * against what is counted, directories and their indexes. What was not touched is not read.
 *
 * @returns one line for each problem; empty when all is consistent
 */
export async function checkVolume(
  cache: FaultingCache,
  superblock: Superblock,
  session: WriteSession,
): Promise<readonly string[]> {
  /** Runs a part of the check on the volume as it is now; the transaction is never merged. */
  const onVolume = <T>(run: (volume: VolumeEdit) => T): Promise<T> =>
    cache.run(() => run(new VolumeEdit(new Transaction(cache, cache.pageBytes), superblock, session)));

  const problems = await onVolume((volume) => described('superblock', () => checkTotals(volume)));
  for (const number of session.touchedGroups) {
    problems.push(
      ...(await onVolume((volume) => described(`group ${number}`, () => checkGroup(volume, number)))),
    );
  }
  const claims: Claim[] = [];
  const numbers = [...session.touchedInodes].sort((a, b) => a - b);
  for (let done = 0; done < numbers.length; done += INODES_AT_ONCE) {
    const found = await onVolume((volume) => checkInodes(volume, numbers.slice(done, done + INODES_AT_ONCE)));
    problems.push(...found.problems);
    claims.push(...found.claims);
  }
  return [...problems, ...overlaps(claims)];
}

/** What is found, each with where; an error that says that something is damaged is a finding too. */
function described(where: string, run: () => string[]): string[] {
  try {
    return run().map((problem) => `${where}: ${problem}`);
  } catch (error) {
    if (!(error instanceof ImageElvesError)) {
      throw error;
    }
    return [`${where}: ${error.message} ${JSON.stringify(error.facts)}`];
  }
}

function checkInodes(
  volume: VolumeEdit,
  numbers: readonly number[],
): { problems: string[]; claims: Claim[] } {
  const claims: Claim[] = [];
  const problems = numbers.flatMap((number) =>
    described(`inode ${number}`, () => {
      const found = checkInode(volume, number);
      claims.push(...found.claims);
      return found.problems;
    }),
  );
  return { problems, claims };
}

function checkTotals(volume: VolumeEdit): string[] {
  const bytes = volume.readBytes(SUPERBLOCK_OFFSET_BYTES, SUPERBLOCK_BYTES);
  verifySuperblock(bytes);
  const found = parseSuperblock(bytes);
  let blocks = 0;
  let inodes = 0;
  for (let group = 0; group < found.groupCount; group += 1) {
    const { freeBlocksCount, freeInodesCount } = volume.group(group).descriptor;
    blocks += freeBlocksCount;
    inodes += freeInodesCount;
  }
  return [
    ...differs('free blocks', found.freeBlocksCount, blocks),
    ...differs('free inodes', found.freeInodesCount, inodes),
  ];
}

function checkGroup(volume: VolumeEdit, number: number): string[] {
  const group = volume.group(number);
  const { inodesPerGroup, blockSize } = volume.superblock;
  const { freeBlocksCount, freeInodesCount, usedDirsCount } = group.descriptor;
  const blocks = group.blockBitmap();
  const inodes = group.inodeBitmap();
  const usedInodes = countSetBits(inodes, 0, inodesPerGroup);
  const problems = [
    ...differs('free blocks', freeBlocksCount, group.blockCount - countSetBits(blocks, 0, group.blockCount)),
    ...differs('free inodes', freeInodesCount, inodesPerGroup - usedInodes),
    ...differs(
      'padding of the block bitmap',
      countSetBits(blocks, group.blockCount, blockSize * 8),
      blockSize * 8 - group.blockCount,
    ),
    ...differs(
      'padding of the inode bitmap',
      countSetBits(inodes, inodesPerGroup, blockSize * 8),
      blockSize * 8 - inodesPerGroup,
    ),
  ];
  if (nextSetBit(inodes, group.usedTableInodes, inodesPerGroup) !== inodesPerGroup) {
    problems.push('an inode in use lies in the part of the table that is marked as never used');
  }
  if (usedDirsCount > usedInodes) {
    problems.push(`${usedDirsCount} directories among ${usedInodes} inodes`);
  }
  return problems;
}

function overlaps(claims: readonly Claim[]): string[] {
  const problems: string[] = [];
  let reach: { end: number; inode: number } | undefined;
  for (const claim of [...claims].sort((a, b) => a.start - b.start)) {
    if (reach !== undefined && claim.start < reach.end) {
      problems.push(`inodes ${reach.inode} and ${claim.inode} both claim block ${claim.start}`);
    }
    const end = claim.start + claim.count;
    if (reach === undefined || end > reach.end) {
      reach = { end, inode: claim.inode };
    }
  }
  return problems;
}
