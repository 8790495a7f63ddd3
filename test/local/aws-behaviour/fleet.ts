import { addInstance } from '../../../local/state';
import type { InstanceRecord, VolumeRecord } from '../../../local/state/resources';
import { payload, writtenSnapshot } from './blocks';
import type { TestCloud } from './test-cloud';
import type { Bindings } from './vector';

export const ZONE = 'us-east-1a';

/** An available volume of 1 GiB, or as asked. */
export async function availableVolume(cloud: TestCloud, input: object = {}): Promise<string> {
  const { VolumeId } = await cloud.must('ec2', 'CreateVolume', {
    AvailabilityZone: ZONE,
    Size: 1,
    VolumeType: 'gp3',
    ...input,
  });
  await cloud.clock.advance(cloud.state.timings.volumeCreating);
  return String(VolumeId);
}

/** A stopped instance with a root volume. */
export async function stoppedInstance(
  cloud: TestCloud,
  overrides?: Partial<InstanceRecord>,
): Promise<InstanceRecord> {
  const volumeId = await availableVolume(cloud);
  return addInstance(cloud.state, {
    name: `machine-${cloud.state.instances.size}`,
    volumeId,
    privateIp: `10.0.1.${cloud.state.instances.size + 4}`,
    overrides,
  });
}

export async function runningInstance(cloud: TestCloud): Promise<InstanceRecord> {
  const instance = await stoppedInstance(cloud);
  await cloud.must('ec2', 'StartInstances', { InstanceIds: [instance.instanceId] });
  await settle(cloud);
  return instance;
}

/** Lets all transitions end. */
export async function settle(cloud: TestCloud): Promise<void> {
  const { timings } = cloud.state;
  await cloud.clock.advance(
    Math.max(
      timings.instancePending,
      timings.instanceStopping,
      timings.instanceShuttingDown,
      timings.attaching,
    ),
  );
  await cloud.settled();
  await cloud.clock.advance(Math.max(timings.detaching, timings.volumeDeleting));
}

export function rootVolume(cloud: TestCloud, { instanceId }: InstanceRecord): VolumeRecord {
  const found = [...cloud.state.volumes.values()].find(
    ({ attachment }) => attachment?.instanceId === instanceId,
  );
  if (!found) throw new Error(`${instanceId} has no volume.`);
  return found;
}

export async function describeInstance(
  cloud: TestCloud,
  instanceId: string,
): Promise<Record<string, unknown>> {
  const { Reservations } = await cloud.must('ec2', 'DescribeInstances', { InstanceIds: [instanceId] });
  const [reservation] = Reservations as { Instances: Record<string, unknown>[] }[];
  return reservation?.Instances[0] ?? {};
}

export async function describeVolume(cloud: TestCloud, volumeId: string): Promise<Record<string, unknown>> {
  const { Volumes } = await cloud.must('ec2', 'DescribeVolumes', { VolumeIds: [volumeId] });
  return (Volumes as Record<string, unknown>[])[0] ?? {};
}

/** A key that can be used. */
const KEY = 'arn:aws:kms:us-east-1:000000000000:key/11111111-2222-4333-8444-555555555555';

/** A readable snapshot of one block. */
export const plainSnapshot = async (cloud: TestCloud, input: object = {}): Promise<Bindings> => ({
  S: await writtenSnapshot(cloud, { 0: payload('a') }, input),
  K: KEY,
  az: ZONE,
});

/** An image registered from one. */
export async function image(cloud: TestCloud): Promise<string> {
  const { S } = await plainSnapshot(cloud);
  const { ImageId } = await cloud.must('ec2', 'RegisterImage', {
    Name: 'test-image',
    Architecture: 'x86_64',
    RootDeviceName: '/dev/xvda',
    BlockDeviceMappings: [{ DeviceName: '/dev/xvda', Ebs: { SnapshotId: S } }],
  });
  return String(ImageId);
}
