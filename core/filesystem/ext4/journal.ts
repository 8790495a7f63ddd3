import { readU16BE, readU32BE, writeU32BE } from '../../bytes/big-endian';
import { joinU64 } from '../../bytes/little-endian';
import { CorruptFilesystemError } from '../errors';
import { crc32c, crc32cU32, crc32cZeros, CRC32C_START } from '../../bytes/checksum';

/** The jbd2 journal (kernel Documentation/filesystems/ext4/journal.rst). All of it is big-endian. */
export const JOURNAL_MAGIC = 0xc03b3998;

export const JournalBlockType = {
  descriptor: 1,
  commit: 2,
  superblockV1: 3,
  superblockV2: 4,
  revoke: 5,
} as const;

export const JournalIncompat = {
  revoke: 0x1,
  '64bit': 0x2,
  async_commit: 0x4,
  csum_v2: 0x8,
  csum_v3: 0x10,
  fast_commit: 0x20,
} as const;

const TagFlag = { escape: 1, sameUuid: 2, deleted: 4, last: 8 } as const;

const HEADER_BYTES = 12;
const SUPERBLOCK_BYTES = 1024;
const CHECKSUM_BYTES = 4;

export interface JournalHeader {
  readonly type: number;
  readonly sequence: number;
}

export interface JournalSuperblock {
  readonly blockSize: number;
  /** Blocks of the journal, the superblock included. */
  readonly blocks: number;
  /** First block of the log. */
  readonly first: number;
  /** Sequence of the first transaction to replay. */
  readonly sequence: number;
  /** Block of that transaction; 0 when the journal is clean. */
  readonly start: number;
  readonly errorNumber: number;
  readonly featureIncompat: number;
  readonly uuid: Uint8Array;
  /** Blocks at the end of the journal that are for fast commits; not part of the ring. */
  readonly fastCommitBlocks: number;
  /** Start of the checksums of all other journal blocks. */
  readonly checksumSeed: number;
  readonly hasChecksums: boolean;
}

/** One block that a descriptor announces: the next block of the log belongs at `block`. */
export interface JournalTag {
  readonly block: number;
  /** The first four bytes were the journal's magic and are zero in the log. */
  readonly escaped: boolean;
  readonly checksum: number;
}

/** Undefined when the block does not begin as one of the journal's own. */
export function parseJournalHeader(block: Uint8Array): JournalHeader | undefined {
  if (readU32BE(block, 0) !== JOURNAL_MAGIC) return undefined;
  return { type: readU32BE(block, 4), sequence: readU32BE(block, 8) };
}

/** @throws CorruptFilesystemError when magic, geometry or checksum are wrong */
export function parseJournalSuperblock(bytes: Uint8Array): JournalSuperblock {
  const header = parseJournalHeader(bytes);
  const isVersion2 = header?.type === JournalBlockType.superblockV2;
  if (!header || !(isVersion2 || header.type === JournalBlockType.superblockV1)) {
    throw new CorruptFilesystemError('journal superblock', { type: header?.type });
  }
  const featureIncompat = isVersion2 ? readU32BE(bytes, 0x28) : 0;
  const hasChecksums = (featureIncompat & (JournalIncompat.csum_v2 | JournalIncompat.csum_v3)) !== 0;
  if (hasChecksums) {
    const expected = journalSuperblockChecksum(bytes);
    const found = readU32BE(bytes, 0xfc);
    if (found !== expected)
      throw new CorruptFilesystemError('journal superblock checksum', { expected, found });
  }
  const uuid = bytes.slice(0x30, 0x40);
  const journal = {
    blockSize: readU32BE(bytes, 0xc),
    blocks: readU32BE(bytes, 0x10),
    first: readU32BE(bytes, 0x14),
    sequence: readU32BE(bytes, 0x18),
    start: readU32BE(bytes, 0x1c),
    errorNumber: readU32BE(bytes, 0x20) | 0,
    featureIncompat,
    uuid,
    // The kernel takes 256 where the field is still zero.
    fastCommitBlocks: featureIncompat & JournalIncompat.fast_commit ? readU32BE(bytes, 0x54) || 256 : 0,
    checksumSeed: crc32c(CRC32C_START, uuid),
    hasChecksums,
  };
  const { first, start, blocks, fastCommitBlocks } = journal;
  if (
    first === 0 ||
    first + fastCommitBlocks >= blocks ||
    (start !== 0 && (start < first || start >= blocks - fastCommitBlocks))
  ) {
    throw new CorruptFilesystemError('journal geometry', { first, start, blocks, fastCommitBlocks });
  }
  return journal;
}

/** Marks the journal as empty from `sequence` on, as the kernel does after recovery. */
export function writeCleanJournal(bytes: Uint8Array, sequence: number): void {
  writeU32BE(bytes, 0x18, sequence);
  writeU32BE(bytes, 0x1c, 0);
  if (readU32BE(bytes, 0x28) & (JournalIncompat.csum_v2 | JournalIncompat.csum_v3)) {
    writeU32BE(bytes, 0xfc, journalSuperblockChecksum(bytes));
  }
}

export function journalSuperblockChecksum(bytes: Uint8Array): number {
  const head = crc32cZeros(crc32c(CRC32C_START, bytes, 0, 0xfc), CHECKSUM_BYTES);
  return crc32c(head, bytes, 0x100, SUPERBLOCK_BYTES);
}

/** The blocks that one descriptor block announces, in the order of the log. */
export function parseDescriptorBlock(block: Uint8Array, journal: JournalSuperblock): JournalTag[] {
  const isV3 = (journal.featureIncompat & JournalIncompat.csum_v3) !== 0;
  const is64Bit = (journal.featureIncompat & JournalIncompat['64bit']) !== 0;
  const isV2 = (journal.featureIncompat & JournalIncompat.csum_v2) !== 0;
  const tagBytes = isV3 ? 16 : 8 + (isV2 ? 2 : 0) + (is64Bit ? 4 : 0);
  const end = block.length - (journal.hasChecksums ? CHECKSUM_BYTES : 0);
  const tags: JournalTag[] = [];
  let at = HEADER_BYTES;
  while (at + tagBytes <= end) {
    const flags = isV3 ? readU32BE(block, at + 4) : readU16BE(block, at + 6);
    const high = is64Bit ? readU32BE(block, at + 8) : 0;
    tags.push({
      block: joinU64(high, readU32BE(block, at)),
      escaped: (flags & TagFlag.escape) !== 0,
      checksum: isV3 ? readU32BE(block, at + 12) : readU16BE(block, at + 4),
    });
    at += tagBytes + (flags & TagFlag.sameUuid ? 0 : 16);
    if (flags & TagFlag.last) break;
  }
  return tags;
}

/** Whether the logged copy of a block is the one its tag was made for. Always true without journal checksums. */
export function holdsTagChecksum(
  tag: JournalTag,
  data: Uint8Array,
  sequence: number,
  journal: JournalSuperblock,
): boolean {
  if (!journal.hasChecksums) return true;
  const crc = crc32c(sequenceSeed(journal, sequence), data);
  return tag.checksum === (journal.featureIncompat & JournalIncompat.csum_v3 ? crc : crc & 0xffff);
}

/**
 * Filesystem blocks that a revoke block names: older logged copies of them must not be replayed.
 * @throws CorruptFilesystemError when the count is impossible
 */
export function parseRevokeBlock(block: Uint8Array, journal: JournalSuperblock): number[] {
  const width = journal.featureIncompat & JournalIncompat['64bit'] ? 8 : 4;
  const used = readU32BE(block, HEADER_BYTES);
  const end = block.length - (journal.hasChecksums ? CHECKSUM_BYTES : 0);
  if (used > end) throw new CorruptFilesystemError('journal revoke block', { used });
  const revoked: number[] = [];
  for (let at = HEADER_BYTES + 4; at + width <= used; at += width) {
    revoked.push(
      width === 8 ? joinU64(readU32BE(block, at), readU32BE(block, at + 4)) : readU32BE(block, at),
    );
  }
  return revoked;
}

/** Whether the last four bytes of a descriptor or revoke block hold. Always true without journal checksums. */
export function holdsTailChecksum(block: Uint8Array, journal: JournalSuperblock): boolean {
  if (!journal.hasChecksums) return true;
  const tail = block.length - CHECKSUM_BYTES;
  return crc32cZeros(crc32c(journal.checksumSeed, block, 0, tail), CHECKSUM_BYTES) === readU32BE(block, tail);
}

/** Whether a commit block is whole: only then did its transaction happen. Always true without journal checksums. */
export function holdsCommitChecksum(block: Uint8Array, journal: JournalSuperblock): boolean {
  if (!journal.hasChecksums) return true;
  const field = 0x10;
  const head = crc32cZeros(crc32c(journal.checksumSeed, block, 0, field), CHECKSUM_BYTES);
  return crc32c(head, block, field + CHECKSUM_BYTES) === readU32BE(block, field);
}

function sequenceSeed(journal: JournalSuperblock, sequence: number): number {
  const bigEndian = new Uint8Array(4);
  writeU32BE(bigEndian, 0, sequence);
  return crc32cU32(
    journal.checksumSeed,
    bigEndian[0]! | (bigEndian[1]! << 8) | (bigEndian[2]! << 16) | (bigEndian[3]! << 24),
  );
}
