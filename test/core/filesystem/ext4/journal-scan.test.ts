import { writeU16BE, writeU32BE } from '../../../../core/bytes/big-endian';
import { CorruptFilesystemError } from '../../../../core/filesystem/errors';
import { JOURNAL_MAGIC, type JournalSuperblock } from '../../../../core/filesystem/ext4/journal';
import { scanJournal, type JournalScan } from '../../../../core/filesystem/ext4/journal-scan';

const BLOCK = 1024;
const [SAME_UUID, LAST] = [2, 8];

function own(type: number, sequence: number): Uint8Array {
  const block = new Uint8Array(BLOCK);
  writeU32BE(block, 0, JOURNAL_MAGIC);
  writeU32BE(block, 4, type);
  writeU32BE(block, 8, sequence);
  return block;
}

/** A descriptor block and the copies that follow it. */
function logged(sequence: number, ...blocks: number[]): Uint8Array[] {
  const descriptor = own(1, sequence);
  blocks.forEach((block, index) => {
    writeU32BE(descriptor, 12 + index * 8, block);
    writeU16BE(descriptor, 18 + index * 8, SAME_UUID | (index === blocks.length - 1 ? LAST : 0));
  });
  return [descriptor, ...blocks.map(() => new Uint8Array(BLOCK))];
}

function revoked(sequence: number, ...blocks: number[]): Uint8Array {
  const block = own(5, sequence);
  writeU32BE(block, 12, 16 + blocks.length * 4);
  blocks.forEach((revokedBlock, index) => writeU32BE(block, 16 + index * 4, revokedBlock));
  return block;
}

const committed = (sequence: number): Uint8Array => own(2, sequence);

/** Scans these blocks as a log that starts at block `start` of a ring just as long, block 1 being its first. */
async function scan(blocks: readonly Uint8Array[], { sequence = 10, start = 1 } = {}): Promise<JournalScan> {
  const journal: JournalSuperblock = {
    blockSize: BLOCK,
    blocks: blocks.length + 1,
    first: 1,
    sequence,
    start,
    errorNumber: 0,
    featureIncompat: 1,
    uuid: new Uint8Array(16),
    fastCommitBlocks: 0,
    checksumSeed: 0,
    hasChecksums: false,
  };
  const log = {
    ringBlocks: blocks.length,
    next: (block: number) => (block === blocks.length ? 1 : block + 1),
    read: async (block: number) => blocks[block - 1]!,
  };
  return await scanJournal(log, journal);
}

/** Which copy of which block is replayed, as [block, log block]. */
const replayOf = ({ replay }: JournalScan): [number, number][] =>
  [...replay].map(([block, { logBlock }]): [number, number] => [block, logBlock]).sort(([a], [b]) => a - b);

const rest = (count: number): Uint8Array[] => Array.from({ length: count }, () => new Uint8Array(BLOCK));

describe('scanJournal', () => {
  it('replays the newest copy of each block', async () => {
    const result = await scan([
      ...logged(10, 500, 501),
      committed(10),
      ...logged(11, 501),
      committed(11),
      ...rest(3),
    ]);
    expect(replayOf(result)).toEqual([
      [500, 2],
      [501, 6],
    ]);
    expect(result).toMatchObject({ transactions: 2, nextSequence: 12 });
  });

  it('stops at what an older turn of the ring left behind, however whole it looks', async () => {
    const result = await scan([...logged(10, 500), committed(10), ...logged(5, 600), committed(5)]);
    expect(replayOf(result)).toEqual([[500, 2]]);
    expect(result.nextSequence).toBe(11);
  });

  it('forgets a transaction that was never committed, its revocations too', async () => {
    const result = await scan([
      ...logged(10, 500),
      committed(10),
      ...logged(11, 501),
      revoked(11, 500),
      ...rest(2),
    ]);
    expect(replayOf(result)).toEqual([[500, 2]]);
    expect(result.transactions).toBe(1);
  });

  it('does not replay what the same or a later transaction revokes', async () => {
    const result = await scan([
      ...logged(10, 500, 501),
      committed(10),
      revoked(11, 500),
      ...logged(11, 502),
      committed(11),
      ...rest(2),
    ]);
    expect(replayOf(result).map(([block]) => block)).toEqual([501, 502]);
  });

  it('replays a block that was logged again after it was revoked', async () => {
    const result = await scan([
      ...logged(10, 500),
      committed(10),
      revoked(11, 500),
      committed(11),
      ...logged(12, 500),
      committed(12),
      ...rest(1),
    ]);
    expect(replayOf(result)).toEqual([[500, 7]]);
  });

  it('goes on at the first block behind the end of the ring', async () => {
    const [descriptor, copy] = logged(10, 500) as [Uint8Array, Uint8Array];
    const result = await scan([copy, committed(10), ...rest(2), descriptor], { start: 5 });
    expect(replayOf(result)).toEqual([[500, 1]]);
  });

  it('leaves what is too much for memory to the kernel', async () => {
    const empty = new Uint8Array(BLOCK);
    const most = (256 * 1024 * 1024) / BLOCK;
    const blocks: Uint8Array[] = [];
    for (let block = 0; block <= most; block += 100) {
      const numbers = Array.from({ length: 100 }, (_, n) => block + n);
      blocks.push(logged(10, ...numbers)[0]!, ...numbers.map(() => empty));
    }
    await expect(scan([...blocks, committed(10), ...rest(1)])).rejects.toMatchObject({
      name: 'RecoveryNeededError',
      kind: 'ext4',
    });
  });

  it('counts sequence numbers around the end of 32 bits', async () => {
    const last = 0xffffffff;
    const result = await scan(
      [...logged(last, 500), committed(last), ...logged(0, 501), committed(0), ...rest(1)],
      {
        sequence: last,
      },
    );
    expect(result).toMatchObject({ transactions: 2, nextSequence: 1 });
  });

  it('takes a log longer than its ring for damaged, and one just as long for full', async () => {
    const full = await scan([...logged(10, 500), committed(10)]);
    expect(full.transactions).toBe(1);
    const tooMany = logged(10, 500, 501, 502, 503).slice(0, 2);
    await expect(scan(tooMany)).rejects.toBeInstanceOf(CorruptFilesystemError);
  });
});
