import { payload, putInput, startSnapshot, untilReadable } from '../aws-behaviour/blocks';
import { availableVolume } from '../aws-behaviour/fleet';
import { TestCloud } from '../aws-behaviour/test-cloud';

const [A, B] = [payload('a'), payload('b')];

async function snapshot(cloud: TestCloud, VolumeId: string): Promise<string> {
  const { SnapshotId } = await cloud.must('ec2', 'CreateSnapshot', { VolumeId });
  await untilReadable(cloud);
  return String(SnapshotId);
}

async function changed(
  cloud: TestCloud,
  FirstSnapshotId: string,
  SecondSnapshotId: string,
): Promise<number[]> {
  const { ChangedBlocks } = await cloud.must('ebs', 'ListChangedBlocks', {
    FirstSnapshotId,
    SecondSnapshotId,
  });
  return (ChangedBlocks as { BlockIndex: number }[]).map(({ BlockIndex }) => BlockIndex);
}

test('snapshots of a volume differ in what was written between them, whatever the bytes', async () => {
  const cloud = await TestCloud.open();
  const volume = await availableVolume(cloud);
  const { storage } = cloud.state;
  for (const index of [0, 5, 9]) await storage.writeBlock(volume, index, A);
  const first = await snapshot(cloud, volume);
  await storage.writeBlock(volume, 5, A);
  await storage.writeBlock(volume, 12, B);
  const second = await snapshot(cloud, volume);
  expect(await changed(cloud, first, second)).toEqual([5, 12]);
});

test('a snapshot put over a parent, the volume made of it, and its snapshots are one family', async () => {
  const cloud = await TestCloud.open();
  const volume = await availableVolume(cloud);
  for (const index of [0, 5]) await cloud.state.storage.writeBlock(volume, index, A);
  const base = await snapshot(cloud, volume);
  const child = await startSnapshot(cloud, { ParentSnapshotId: base });
  await cloud.must('ebs', 'PutSnapshotBlock', putInput(child, 5, B));
  await cloud.must('ebs', 'CompleteSnapshot', { SnapshotId: child, ChangedBlocksCount: 1 });
  await untilReadable(cloud);
  const patched = await availableVolume(cloud, { SnapshotId: child });
  expect((await cloud.state.storage.readBlock(patched, 5)).equals(B)).toBe(true);
  expect((await cloud.state.storage.readBlock(volume, 5)).equals(A)).toBe(true);
  await cloud.state.storage.writeBlock(patched, 8, B);
  const later = await snapshot(cloud, patched);
  expect(await changed(cloud, base, child)).toEqual([5]);
  expect(await changed(cloud, base, later)).toEqual([5, 8]);
  const stranger = await snapshot(cloud, await availableVolume(cloud));
  expect(
    await cloud.ebs('ListChangedBlocks', { FirstSnapshotId: base, SecondSnapshotId: stranger }),
  ).toMatchObject({
    status: 400,
    code: 'ValidationException',
    message: `${base} and ${stranger} are not related`,
  });
});

test('a copy keeps the history of its blocks', async () => {
  const cloud = await TestCloud.open();
  const volume = await availableVolume(cloud);
  await cloud.state.storage.writeBlock(volume, 1, A);
  const first = await snapshot(cloud, volume);
  const { SnapshotId } = await cloud.must('ec2', 'CopySnapshot', {
    SourceSnapshotId: first,
    SourceRegion: 'us-east-1',
  });
  await untilReadable(cloud);
  await cloud.state.storage.writeBlock(volume, 2, A);
  const second = await snapshot(cloud, volume);
  expect(await changed(cloud, String(SnapshotId), second)).toEqual([2]);
});

test('snapshots of one volume need time between them', async () => {
  const cloud = await TestCloud.open();
  const VolumeId = await availableVolume(cloud);
  await cloud.must('ec2', 'CreateSnapshot', { VolumeId });
  expect(await cloud.ec2('CreateSnapshot', { VolumeId })).toMatchObject({
    code: 'SnapshotCreationPerVolumeRateExceeded',
  });
  await cloud.clock.advance(cloud.state.timings.snapshotInterval);
  expect((await cloud.ec2('CreateSnapshot', { VolumeId })).status).toBe(200);
});

test('a child smaller than its parent, or with a key of its own, is refused', async () => {
  const cloud = await TestCloud.open();
  const parent = await snapshot(cloud, await availableVolume(cloud, { Size: 2 }));
  const start = (input: object) =>
    cloud.ebs('StartSnapshot', { VolumeSize: 2, ParentSnapshotId: parent, ...input });
  expect(await start({ VolumeSize: 1 })).toMatchObject({ status: 400, code: 'ValidationException' });
  expect(await start({ Encrypted: true })).toMatchObject({ status: 400, code: 'ValidationException' });
  expect((await start({})).status).toBe(201);
});
