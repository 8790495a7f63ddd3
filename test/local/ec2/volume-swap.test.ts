import {
  availableVolume,
  describeInstance,
  describeVolume,
  rootVolume,
  runningInstance,
  settle,
  stoppedInstance,
} from '../aws-behaviour/fleet';
import { TestCloud } from '../aws-behaviour/test-cloud';

const ROOT = '/dev/xvda';

async function detachRoot(cloud: TestCloud) {
  const instance = await stoppedInstance(cloud);
  const old = rootVolume(cloud, instance).volumeId;
  await cloud.must('ec2', 'DetachVolume', { VolumeId: old, InstanceId: instance.instanceId, Device: ROOT });
  return { instance, old };
}

test('a root volume goes from a stopped instance, and another takes its place', async () => {
  const cloud = await TestCloud.open();
  const { instance, old } = await detachRoot(cloud);
  expect(await describeVolume(cloud, old)).toMatchObject({
    State: 'in-use',
    Attachments: [{ State: 'detaching' }],
  });
  const next = await availableVolume(cloud);
  const attach = { VolumeId: next, InstanceId: instance.instanceId, Device: ROOT };
  // Creating the volume took time; the old one is still on its way for a second more.
  expect(await cloud.ec2('AttachVolume', attach)).toMatchObject({ code: 'InvalidParameterValue' });
  await cloud.clock.advance(cloud.state.timings.detaching);
  expect(await describeVolume(cloud, old)).toMatchObject({ State: 'available', Attachments: [] });
  expect(await cloud.must('ec2', 'AttachVolume', attach)).toMatchObject({
    State: 'attaching',
    DeleteOnTermination: false,
  });
  await settle(cloud);
  expect((await describeInstance(cloud, instance.instanceId))['BlockDeviceMappings']).toMatchObject([
    { DeviceName: ROOT, Ebs: { VolumeId: next, Status: 'attached', DeleteOnTermination: false } },
  ]);
});

test('the root of a running instance can be neither taken nor given', async () => {
  const cloud = await TestCloud.open();
  const instance = await runningInstance(cloud);
  const { volumeId } = rootVolume(cloud, instance);
  expect(await cloud.ec2('DetachVolume', { VolumeId: volumeId })).toMatchObject({
    status: 400,
    code: 'IncorrectState',
    message: `Unable to detach root volume '${volumeId}' from instance '${instance.instanceId}'`,
  });
  const other = await availableVolume(cloud);
  expect(
    await cloud.ec2('AttachVolume', { VolumeId: other, InstanceId: instance.instanceId, Device: ROOT }),
  ).toMatchObject({
    code: 'IncorrectState',
  });
});

test('an instance without its root does not start', async () => {
  const cloud = await TestCloud.open();
  const { instance } = await detachRoot(cloud);
  expect(await cloud.ec2('StartInstances', { InstanceIds: [instance.instanceId] })).toMatchObject({
    code: 'IncorrectInstanceState',
    message: expect.stringContaining('does not have a volume attached at root') as string,
  });
});

test('a volume attaches where it fits and is free', async () => {
  const cloud = await TestCloud.open();
  const instance = await stoppedInstance(cloud);
  const attach = (VolumeId: string) =>
    cloud.ec2('AttachVolume', { VolumeId, InstanceId: instance.instanceId, Device: '/dev/sdf' });
  const elsewhere = await availableVolume(cloud, { AvailabilityZone: 'us-east-1b' });
  expect(await attach(elsewhere)).toMatchObject({ code: 'InvalidVolume.ZoneMismatch' });
  const { VolumeId: creating } = await cloud.must('ec2', 'CreateVolume', {
    AvailabilityZone: 'us-east-1a',
    Size: 1,
  });
  expect(await attach(String(creating))).toMatchObject({ code: 'IncorrectState' });
  expect(await attach(rootVolume(cloud, instance).volumeId)).toMatchObject({ code: 'VolumeInUse' });
  expect(await attach('vol-0123456789abcdef0')).toMatchObject({ code: 'InvalidVolume.NotFound' });
  await cloud.clock.advance(5000);
  expect((await attach(String(creating))).status).toBe(200);
  expect(await cloud.ec2('DeleteVolume', { VolumeId: creating })).toMatchObject({ code: 'VolumeInUse' });
});

test('a detached volume cannot be detached again', async () => {
  const cloud = await TestCloud.open();
  const { old } = await detachRoot(cloud);
  expect(await cloud.ec2('DetachVolume', { VolumeId: old })).toMatchObject({ code: 'IncorrectState' });
  await settle(cloud);
  expect(await cloud.ec2('DetachVolume', { VolumeId: old })).toMatchObject({
    code: 'IncorrectState',
    message: `Volume '${old}' is in the 'available' state.`,
  });
});
