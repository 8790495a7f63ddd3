import { attachDataVolume } from '../../../local/state';
import {
  availableVolume,
  describeInstance,
  rootVolume,
  runningInstance,
  settle,
  stoppedInstance,
} from '../aws-behaviour/fleet';
import { TestCloud } from '../aws-behaviour/test-cloud';
import { payload, untilReadable } from '../aws-behaviour/blocks';

const transitions = (cloud: TestCloud, instanceId: string) =>
  cloud.events.flatMap((event) =>
    event.type === 'instance-state' && event.instanceId === instanceId ? [`${event.from} > ${event.to}`] : [],
  );

test('every state lasts its time and is told in the event log', async () => {
  const cloud = await TestCloud.open();
  const { instanceId } = await stoppedInstance(cloud);
  const launched = (await describeInstance(cloud, instanceId))['LaunchTime'] as Date;
  await cloud.clock.advance(60_000);
  await cloud.must('ec2', 'StartInstances', { InstanceIds: [instanceId] });
  await cloud.clock.advance(cloud.state.timings.instancePending - 1);
  expect(await describeInstance(cloud, instanceId)).toMatchObject({ State: { Name: 'pending' } });
  await cloud.clock.advance(1);
  expect(await describeInstance(cloud, instanceId)).toMatchObject({ State: { Name: 'running' } });
  expect(((await describeInstance(cloud, instanceId))['LaunchTime'] as Date).getTime()).toBeGreaterThan(
    launched.getTime(),
  );
  await cloud.must('ec2', 'StopInstances', { InstanceIds: [instanceId] });
  await settle(cloud);
  expect(transitions(cloud, instanceId)).toEqual([
    'stopped > pending',
    'pending > running',
    'running > stopping',
    'stopping > stopped',
  ]);
});

test('an instance that is powered off from inside is stopped', async () => {
  const cloud = await TestCloud.open();
  const { instanceId } = await runningInstance(cloud);
  cloud.machines.powerOff(instanceId);
  expect(await describeInstance(cloud, instanceId)).toMatchObject({
    State: { Name: 'stopped' },
    StateReason: { Code: 'Client.InstanceInitiatedShutdown' },
  });
});

test('a machine that does not boot ends stopped, with the reason', async () => {
  const cloud = await TestCloud.open();
  cloud.machines.boot = () => Promise.reject(new Error('no init'));
  const { instanceId } = await stoppedInstance(cloud);
  await cloud.must('ec2', 'StartInstances', { InstanceIds: [instanceId] });
  await settle(cloud);
  expect(await describeInstance(cloud, instanceId)).toMatchObject({
    State: { Name: 'stopped' },
    StateReason: { Code: 'Server.InternalError', Message: 'Server.InternalError: boot failed: no init' },
  });
});

test('a machine boots with every volume that is attached, the root volume first', async () => {
  const cloud = await TestCloud.open();
  const devices: string[][] = [];
  cloud.machines.boot = ({ disks }) => {
    devices.push(disks.map(({ device }) => device));
    return Promise.resolve();
  };
  const data = await availableVolume(cloud);
  // This one is known before the root volume is.
  const { instanceId, rootDeviceName } = await stoppedInstance(cloud);
  attachDataVolume(cloud.state, { instanceId, volumeId: data, device: '/dev/sdf' });
  await cloud.must('ec2', 'StartInstances', { InstanceIds: [instanceId] });
  await settle(cloud);
  expect(devices).toEqual([[rootDeviceName, '/dev/sdf']]);
  await cloud.must('ec2', 'StopInstances', { InstanceIds: [instanceId] });
  await settle(cloud);
  await cloud.must('ec2', 'DetachVolume', { VolumeId: data });
  await cloud.must('ec2', 'StartInstances', { InstanceIds: [instanceId] });
  await settle(cloud);
  expect(devices.at(-1)).toEqual([rootDeviceName]);
});

test('a clone: snapshot, image, launch, and nothing left of it afterwards but the image and its snapshot', async () => {
  const cloud = await TestCloud.open();
  const original = await stoppedInstance(cloud);
  const { volumeId } = rootVolume(cloud, original);
  await cloud.state.storage.writeBlock(volumeId, 7, payload('a'));
  const { SnapshotId } = await cloud.must('ec2', 'CreateSnapshot', { VolumeId: volumeId });
  await untilReadable(cloud);
  const { ImageId } = await cloud.must('ec2', 'RegisterImage', {
    Name: 'clone-image',
    RootDeviceName: '/dev/xvda',
    BlockDeviceMappings: [{ DeviceName: '/dev/xvda', Ebs: { SnapshotId, VolumeType: 'gp3' } }],
  });
  const { Instances } = await cloud.must('ec2', 'RunInstances', {
    ImageId,
    MinCount: 1,
    MaxCount: 1,
    TagSpecifications: [
      { ResourceType: 'instance', Tags: [{ Key: 'purpose', Value: 'clone' }] },
      { ResourceType: 'volume', Tags: [{ Key: 'purpose', Value: 'clone' }] },
    ],
  });
  const clone = (Instances as { InstanceId: string }[])[0]?.InstanceId ?? '';
  await settle(cloud);
  expect(cloud.machines.isBooted(clone)).toBe(true);
  const filter = { Filters: [{ Name: 'tag:purpose', Values: ['clone'] }] };
  const { Volumes } = await cloud.must('ec2', 'DescribeVolumes', filter);
  expect(Volumes).toMatchObject([
    { SnapshotId, VolumeType: 'gp3', Attachments: [{ InstanceId: clone, DeleteOnTermination: true }] },
  ]);
  const [volume] = Volumes as { VolumeId: string }[];
  expect((await cloud.state.storage.readBlock(volume?.VolumeId ?? '', 7)).equals(payload('a'))).toBe(true);

  await cloud.must('ec2', 'TerminateInstances', { InstanceIds: [clone] });
  await settle(cloud);
  expect((await cloud.must('ec2', 'DescribeVolumes', filter))['Volumes'] ?? []).toEqual([]);
  expect(await describeInstance(cloud, clone)).toMatchObject({ State: { Name: 'terminated' } });
  expect(transitions(cloud, original.instanceId)).toEqual([]);
});

test('filters and pages choose instances', async () => {
  const cloud = await TestCloud.open();
  for (let count = 0; count < 7; count += 1) await stoppedInstance(cloud);
  const list = async (input: object) => {
    const { Reservations, NextToken } = await cloud.must('ec2', 'DescribeInstances', input);
    return { count: (Reservations as unknown[] | undefined)?.length ?? 0, NextToken };
  };
  expect((await list({ Filters: [{ Name: 'tag:Name', Values: ['machine-*'] }] })).count).toBe(7);
  expect((await list({ Filters: [{ Name: 'tag:Name', Values: ['machine-[1]'] }] })).count).toBe(0);
  expect((await list({ Filters: [{ Name: 'tag:Name', Values: ['machine-1', 'machine-2'] }] })).count).toBe(2);
  expect((await list({ Filters: [{ Name: 'instance-state-name', Values: ['running'] }] })).count).toBe(0);
  const first = await list({ MaxResults: 5 });
  expect(first.count).toBe(5);
  expect(await list({ MaxResults: 5, NextToken: first.NextToken })).toEqual({
    count: 2,
    NextToken: undefined,
  });
  expect(
    await cloud.ec2('DescribeInstances', { Filters: [{ Name: 'colour', Values: ['red'] }] }),
  ).toMatchObject({
    code: 'InvalidParameterValue',
    message: "The filter 'colour' is invalid",
  });
  expect(await cloud.ec2('DescribeInstances', { InstanceIds: ['i-0123456789abcdef0'] })).toMatchObject({
    code: 'InvalidInstanceID.NotFound',
  });
});
