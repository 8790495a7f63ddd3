import fc from 'fast-check';
import { writeU16BE, writeU32BE } from '../../../../core/bytes/big-endian';
import { ImageElvesError } from '../../../../core/errors';
import { CorruptFilesystemError } from '../../../../core/filesystem/errors';
import {
  holdsCommitChecksum,
  holdsTagChecksum,
  holdsTailChecksum,
  JOURNAL_MAGIC,
  JournalIncompat,
  journalSuperblockChecksum,
  parseDescriptorBlock,
  parseJournalHeader,
  parseJournalSuperblock,
  parseRevokeBlock,
  writeCleanJournal,
  type JournalSuperblock,
} from '../../../../core/filesystem/ext4/journal';

const { csum_v2: V2, csum_v3: V3, revoke: REVOKE } = JournalIncompat;
const WIDE = JournalIncompat['64bit'];
const [ESCAPE, SAME_UUID, LAST] = [1, 2, 8];

function journalBytes(incompat: number, start = 1): Uint8Array {
  const bytes = new Uint8Array(1024);
  const words: readonly [number, number][] = [
    [0x0, JOURNAL_MAGIC],
    [0x4, 4],
    [0xc, 1024],
    [0x10, 1024],
    [0x14, 1],
    [0x18, 77],
    [0x1c, start],
    [0x28, incompat],
  ];
  for (const [offset, word] of words) writeU32BE(bytes, offset, word);
  bytes.set(Buffer.from('a1b2c3d4e5f60718293a4b5c6d7e8f90', 'hex'), 0x30);
  if (incompat & (V2 | V3)) writeU32BE(bytes, 0xfc, journalSuperblockChecksum(bytes));
  return bytes;
}

const journal = (incompat: number): JournalSuperblock => parseJournalSuperblock(journalBytes(incompat));

function ownBlock(type: number): Uint8Array {
  const block = new Uint8Array(1024);
  writeU32BE(block, 0, JOURNAL_MAGIC);
  writeU32BE(block, 4, type);
  writeU32BE(block, 8, 77);
  return block;
}

describe('journal superblock', () => {
  it('after recovery is clean, with its checksum renewed', () => {
    for (const incompat of [REVOKE, REVOKE | WIDE | V2, REVOKE | WIDE | V3]) {
      const bytes = journalBytes(incompat);
      writeCleanJournal(bytes, 80);
      expect(parseJournalSuperblock(bytes)).toMatchObject({ sequence: 80, start: 0, blocks: 1024 });
    }
  });

  it('with a wrong bit, or a start outside its ring, is refused', () => {
    const bytes = journalBytes(V3);
    bytes[0x50] = 1;
    expect(() => parseJournalSuperblock(bytes)).toThrow(CorruptFilesystemError);
    expect(() => parseJournalSuperblock(journalBytes(0, 1024))).toThrow(CorruptFilesystemError);
  });
});

describe('descriptor block', () => {
  /** The tag of each format: flags and checksum stand in other places, and it is 8 to 16 bytes long. */
  it.each([
    ['plain', 0, 8, (at: number, block: Uint8Array, flags: number) => writeU16BE(block, at + 6, flags)],
    ['64-bit', WIDE, 12, (at: number, block: Uint8Array, flags: number) => writeU16BE(block, at + 6, flags)],
    ['version 2', V2, 10, (at: number, block: Uint8Array, flags: number) => writeU16BE(block, at + 6, flags)],
    [
      'version 2, 64-bit',
      V2 | WIDE,
      14,
      (at: number, block: Uint8Array, flags: number) => writeU16BE(block, at + 6, flags),
    ],
    [
      'version 3',
      V3 | WIDE,
      16,
      (at: number, block: Uint8Array, flags: number) => writeU32BE(block, at + 4, flags),
    ],
  ])('with tags of %s', (_name, incompat, tagBytes, putFlags) => {
    const block = ownBlock(1);
    const isWide = (incompat & WIDE) !== 0;
    let at = 12;
    for (const [index, flags] of [0, SAME_UUID | ESCAPE, SAME_UUID | LAST].entries()) {
      writeU32BE(block, at, 1000 + index);
      putFlags(at, block, flags);
      if (isWide) writeU32BE(block, at + 8, 5);
      // The first tag is followed by a UUID; what comes behind the last must not count.
      at += tagBytes + (flags & SAME_UUID ? 0 : 16);
    }
    writeU32BE(block, at, 9999);

    const tags = parseDescriptorBlock(block, journal(incompat));

    const high = isWide ? 5 * 2 ** 32 : 0;
    expect(tags.map(({ block, escaped }) => [block - high, escaped])).toEqual([
      [1000, false],
      [1001, true],
      [1002, false],
    ]);
  });

  it('of any bytes is parsed or refused', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 200, maxLength: 200 }),
        fc.constantFrom(0, WIDE, V2, V3 | WIDE),
        (bytes, incompat) => {
          try {
            expect(parseDescriptorBlock(bytes, journal(incompat)).length).toBeLessThan(30);
          } catch (error) {
            expect(error).toBeInstanceOf(ImageElvesError);
          }
        },
      ),
    );
  });
});

describe('revoke block', () => {
  it.each([
    [0, [1, 2, 3]],
    [WIDE, [2 ** 32 + 1, 2]],
  ])('with incompat %i', (incompat, blocks) => {
    const bytes = ownBlock(5);
    const width = incompat === WIDE ? 8 : 4;
    writeU32BE(bytes, 12, 16 + blocks.length * width);
    blocks.forEach((block, index) => {
      const at = 16 + index * width;
      if (width === 8) writeU32BE(bytes, at, Math.floor(block / 2 ** 32));
      writeU32BE(bytes, at + width - 4, block % 2 ** 32);
    });
    expect(parseRevokeBlock(bytes, journal(incompat))).toEqual(blocks);
  });

  it('that says it is longer than a block is refused', () => {
    const bytes = ownBlock(5);
    writeU32BE(bytes, 12, 1025);
    expect(() => parseRevokeBlock(bytes, journal(0))).toThrow(CorruptFilesystemError);
  });
});

describe('journal block', () => {
  it('is told from data by its magic', () => {
    expect(parseJournalHeader(ownBlock(2))).toEqual({ type: 2, sequence: 77 });
    expect(parseJournalHeader(new Uint8Array(1024))).toBeUndefined();
  });

  it('without checksums is taken as it is, with them it must hold', () => {
    const block = ownBlock(2);
    const tag = { block: 1, escaped: false, checksum: 1 };
    const checks = (superblock: JournalSuperblock): boolean[] => [
      holdsCommitChecksum(block, superblock),
      holdsTailChecksum(block, superblock),
      holdsTagChecksum(tag, block, 77, superblock),
    ];
    expect(checks(journal(0))).toEqual([true, true, true]);
    expect(checks(journal(V3))).toEqual([false, false, false]);
  });
});
