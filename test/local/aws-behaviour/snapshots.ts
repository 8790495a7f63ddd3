import type { TestCloud } from './test-cloud';
import type { Bindings } from './vector';
import { payload, startSnapshot, untilReadable, writtenSnapshot, ZEROS } from './blocks';

export const [A, B, C] = [payload('a'), payload('b'), payload('c')];

export const describeSnapshot = async (cloud: TestCloud, id: string): Promise<Record<string, unknown>> => {
  const { Snapshots } = await cloud.must('ec2', 'DescribeSnapshots', { SnapshotIds: [id] });
  return (Snapshots as Record<string, unknown>[])[0] ?? {};
};

/** What the `given` of several vectors is. */
export const pending = async (cloud: TestCloud): Promise<Bindings> => ({ S: await startSnapshot(cloud) });
export const readable = async (cloud: TestCloud): Promise<Bindings> => ({
  S: await writtenSnapshot(cloud, { 0: B, 3: A, 7: ZEROS, 2047: C }),
});
export const failed = async (cloud: TestCloud): Promise<Bindings> => {
  const S = await startSnapshot(cloud);
  await cloud.must('ebs', 'CompleteSnapshot', { SnapshotId: S, ChangedBlocksCount: 9 });
  await untilReadable(cloud);
  return { S };
};

/** Parent and child as in the captures: own blocks 0..100 and 1000, 1000 with the parent's bytes, 2047 inherited. */
export async function family(cloud: TestCloud): Promise<Bindings> {
  const R = await writtenSnapshot(cloud, { 0: A, 1000: B, 2047: C });
  const own: Record<number, Buffer> = { 1000: B };
  for (let index = 0; index <= 100; index += 1) own[index] = B;
  return { R, C: await writtenSnapshot(cloud, own, { ParentSnapshotId: R }) };
}

export async function listedIndexes(cloud: TestCloud, input: object): Promise<number[]> {
  const { Blocks } = await cloud.must('ebs', 'ListSnapshotBlocks', input);
  return (Blocks as { BlockIndex: number }[]).map(({ BlockIndex }) => BlockIndex);
}
