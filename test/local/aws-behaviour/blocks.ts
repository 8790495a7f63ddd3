import { createHash } from 'node:crypto';
import { BLOCK_BYTES } from '../../../local/state';
import type { TestCloud } from './test-cloud';

/** The payloads of the recorded calls: a line with the letter, repeated. */
export const payload = (letter: string): Buffer =>
  Buffer.alloc(BLOCK_BYTES, `stackd-ebs-synthetic-${letter}\n`);

export const ZEROS = Buffer.alloc(BLOCK_BYTES);

export const digest = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('base64');

export const linear = (...blocks: Buffer[]): string =>
  createHash('sha256')
    .update(Buffer.concat(blocks.map((block) => createHash('sha256').update(block).digest())))
    .digest('base64');

/** Input of a well-formed PutSnapshotBlock. */
export const putInput = (SnapshotId: string, BlockIndex: number, BlockData: Buffer) => ({
  SnapshotId,
  BlockIndex,
  BlockData,
  DataLength: BLOCK_BYTES,
  Checksum: digest(BlockData),
  ChecksumAlgorithm: 'SHA256',
});

export async function startSnapshot(cloud: TestCloud, input: object = {}): Promise<string> {
  return String((await cloud.must('ebs', 'StartSnapshot', { VolumeSize: 1, ...input }))['SnapshotId']);
}

/** A snapshot made of these blocks, complete and readable. */
export async function writtenSnapshot(
  cloud: TestCloud,
  blocks: Readonly<Record<number, Buffer>>,
  input: object = {},
): Promise<string> {
  const snapshotId = await startSnapshot(cloud, input);
  for (const [index, block] of Object.entries(blocks))
    await cloud.must('ebs', 'PutSnapshotBlock', putInput(snapshotId, Number(index), block));
  await cloud.must('ebs', 'CompleteSnapshot', {
    SnapshotId: snapshotId,
    ChangedBlocksCount: Object.keys(blocks).length,
  });
  await untilReadable(cloud);
  return snapshotId;
}

export async function untilReadable(cloud: TestCloud): Promise<void> {
  const { snapshotPending, writtenSnapshotPending, directReadLag } = cloud.state.timings;
  await cloud.clock.advance(Math.max(snapshotPending, writtenSnapshotPending) + directReadLag);
}

/** The token of a block, as a listing gives it. */
export async function tokenOf(cloud: TestCloud, SnapshotId: string, index: number): Promise<string> {
  const { Blocks } = await cloud.must('ebs', 'ListSnapshotBlocks', { SnapshotId, StartingBlockIndex: index });
  const [first] = Blocks as { BlockIndex: number; BlockToken: string }[];
  if (first?.BlockIndex !== index) throw new Error(`Block ${index} of ${SnapshotId} is not listed.`);
  return first.BlockToken;
}
