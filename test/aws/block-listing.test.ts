import type { EBSClient } from '@aws-sdk/client-ebs';
import { BlockListing } from '../../aws/ebs/block-listing';
import { blockDigest } from '../../aws/ebs/block-checksum';
import { SnapshotReader } from '../../aws/ebs/snapshot-reader';
import { UsageMeter } from '../../aws/ebs/usage-meter';

interface Page {
  readonly Blocks?: readonly { BlockIndex: number; BlockToken: string }[] | null;
  readonly NextToken?: string;
  readonly error?: { readonly name: string; readonly Reason?: string };
}

/** A client that answers listings with these pages, one after the other, and blocks by `get`. */
function client(
  pages: Page[],
  get: (input: { BlockIndex: number; BlockToken: string }) => object = () => ({}),
) {
  const asked: Record<string, unknown>[] = [];
  const send = async (command: { constructor: { name: string }; input: Record<string, unknown> }) => {
    if (command.constructor.name === 'GetSnapshotBlockCommand') return get(command.input as never);
    asked.push(command.input);
    const page = pages.shift();
    if (page === undefined) throw new Error('asked for more pages than there are');
    if (page.error !== undefined) throw Object.assign(new Error(page.error.name), page.error);
    return { VolumeSize: 1, BlockSize: 524_288, ...page };
  };
  return { ebs: { send } as unknown as EBSClient, asked };
}

const noPause = async (): Promise<void> => undefined;
const token = (index: number): { BlockIndex: number; BlockToken: string } => ({
  BlockIndex: index,
  BlockToken: `t${index}`,
});
const listing = (ebs: EBSClient): BlockListing => new BlockListing(ebs, 'snap-1', new UsageMeter(), noPause);

test('one page is enough for the root of a machine, whatever is asked of it', async () => {
  const { ebs, asked } = client([{ Blocks: [token(0), token(7)] }]);
  const blocks = listing(ebs);
  expect(await blocks.sizeBytes()).toBe(2 ** 30);
  expect(await Promise.all([0, 1, 7, 2000].map((index) => blocks.token(index)))).toEqual([
    't0',
    undefined,
    't7',
    undefined,
  ]);
  expect(asked).toEqual([{ SnapshotId: 'snap-1', MaxResults: 10_000, StartingBlockIndex: 0 }]);
});

test('a large volume is listed where it is read, and not further', async () => {
  const { ebs, asked } = client([
    { Blocks: [token(0), token(99)], NextToken: 'more' },
    { Blocks: [token(5000), token(5100)], NextToken: 'more' },
  ]);
  const blocks = listing(ebs);
  await blocks.sizeBytes();
  expect(await blocks.token(50)).toBeUndefined();
  expect(await blocks.token(5000)).toBe('t5000');
  expect(await blocks.token(5050)).toBeUndefined();
  expect(asked.map(({ StartingBlockIndex }) => StartingBlockIndex)).toEqual([0, 5000]);
});

test('pages that are empty or null, with a further one, are no end', async () => {
  const { ebs, asked } = client([
    { Blocks: [], NextToken: 'a' },
    { Blocks: null, NextToken: 'b' },
    { Blocks: [token(3)] },
  ]);
  expect(await listing(ebs).token(3)).toBe('t3');
  expect(asked.map(({ NextToken }) => NextToken)).toEqual([undefined, 'a', 'b']);
});

test('waits for a snapshot that EBS direct does not serve yet, and not for ever', async () => {
  const lag: Page = { error: { name: 'ResourceNotFoundException', Reason: 'SNAPSHOT_NOT_FOUND' } };
  expect(await listing(client([lag, lag, { Blocks: [token(0)] }]).ebs).token(0)).toBe('t0');
  const never = client(Array.from({ length: 100 }, () => lag));
  await expect(listing(never.ebs).sizeBytes()).rejects.toMatchObject({ name: 'SnapshotNotReadableError' });
  expect(never.asked.length).toBe(10);
});

test('AccessDenied is not waited for', async () => {
  const denied = client([{ error: { name: 'AccessDeniedException' } }]);
  await expect(listing(denied.ebs).sizeBytes()).rejects.toThrow('AccessDenied');
  expect(denied.asked.length).toBe(1);
});

describe('a block', () => {
  const bytes = Buffer.alloc(524_288, 5);
  const answer = (content: Uint8Array, checksum = blockDigest(bytes).toString('base64')) => ({
    BlockData: { transformToByteArray: async () => content },
    Checksum: checksum,
  });

  test('whose token is refused is listed anew', async () => {
    const { ebs } = client(
      [{ Blocks: [token(0)] }, { Blocks: [{ BlockIndex: 0, BlockToken: 'fresh' }] }],
      ({ BlockToken }) => {
        if (BlockToken === 'fresh') return answer(bytes);
        throw Object.assign(new Error(), { name: 'ValidationException', Reason: 'INVALID_BLOCK_TOKEN' });
      },
    );
    const reader = await SnapshotReader.open(ebs, 'snap-1', { pause: noPause });
    expect((await reader.read(0, 1))[0]).toBe(5);
  });

  test('that came damaged is read again, and refused when it comes so every time', async () => {
    let reads = 0;
    const damaged = Buffer.from(bytes).fill(6, 0, 1);
    const once = client([{ Blocks: [token(0)] }], () => answer((reads += 1) === 1 ? damaged : bytes));
    const reader = await SnapshotReader.open(once.ebs, 'snap-1');
    expect((await reader.read(0, 1))[0]).toBe(5);
    expect(reads).toBe(2);

    const always = client([{ Blocks: [token(0)] }], () => answer(damaged));
    const other = await SnapshotReader.open(always.ebs, 'snap-1');
    await expect(other.read(0, 1)).rejects.toMatchObject({
      name: 'BlockChecksumError',
      facts: { blockIndex: 0 },
    });
  });

  test('that is shorter than it should be is refused', async () => {
    const short = bytes.subarray(0, 1000);
    const { ebs } = client([{ Blocks: [token(0)] }], () =>
      answer(short, blockDigest(short).toString('base64')),
    );
    const reader = await SnapshotReader.open(ebs, 'snap-1');
    await expect(reader.read(0, 1)).rejects.toMatchObject({ name: 'BlockChecksumError' });
  });
});
