import type { Reservation, RunInstancesCommandInput } from '@aws-sdk/client-ec2';
import { ACCOUNT_ID } from '../state/account';
import { newId } from '../state/ids';
import { DEFAULT_SECURITY_GROUP_ID, DEFAULT_SUBNET_ID, type LocalEc2State } from '../state/local-ec2-state';
import type { ImageRecord, InstanceRecord } from '../state/resources';
import { fillVolume } from '../state/snapshot-bytes';
import { AwsError } from '../wire';
import { findSecurityGroup, findSubnet } from './account-and-network';
import { newVolume } from './create-volume';
import { toInstance } from './describe-instances';
import { endDryRun, invalidCombination, invalidParameterValue, missingParameter } from './ec2-errors';
import { remember, replayed } from './idempotency';
import { findImage } from './images';
import type { InstanceLifecycle } from './instance-lifecycle';
import { tagsFor } from './tag-sets';
import { performanceOf } from './volume-rules';

export function runInstancesHandler(state: LocalEc2State, lifecycle: InstanceLifecycle) {
  return async (input: RunInstancesCommandInput): Promise<Reservation> => {
    const image = checked(state, input);
    const network = networkOf(state, input);
    const tags = tagsFor('instance', input.TagSpecifications);
    const volumeTags = tagsFor('volume', input.TagSpecifications);
    endDryRun(input.DryRun);
    const made = replayed(state, 'RunInstances', input, (id) => state.instances.has(id));
    const existing = made === undefined ? undefined : state.instances.get(made);
    if (existing) return reservation(state, existing);

    const instance: InstanceRecord = {
      instanceId: newId('i'),
      reservationId: newId('r'),
      imageId: image.imageId,
      instanceType: input.InstanceType ?? 'm1.small',
      architecture: image.architecture,
      availabilityZone: network.subnet.availabilityZone,
      subnetId: network.subnet.subnetId,
      vpcId: network.subnet.vpcId,
      securityGroups: network.groups,
      privateIpAddress: network.privateIpAddress,
      rootDeviceName: image.rootDeviceName,
      rootDeviceType: 'ebs',
      launchTime: state.now(),
      state: 'pending',
      stateReason: { Code: 'pending', Message: 'pending' },
      stateTransitionReason: '',
      clientToken: input.ClientToken,
      iamInstanceProfileArn: profileArn(input),
      productCodes: [],
      hibernationConfigured: input.HibernationOptions?.Configured ?? false,
      metadataHttpTokens: input.MetadataOptions?.HttpTokens ?? 'optional',
      userData: input.UserData,
      disableApiTermination: input.DisableApiTermination ?? false,
      disableApiStop: input.DisableApiStop ?? false,
      tags,
    };
    remember(state, 'RunInstances', input, instance.instanceId);
    state.instances.set(instance.instanceId, instance);
    await attachImageVolumes(state, input, image, instance, volumeTags);
    lifecycle.launch(instance, 'RunInstances');
    const answer = reservation(state, instance);
    // The volumes are not shown by the answer itself.
    return {
      ...answer,
      Instances: answer.Instances?.map((shown) => ({ ...shown, BlockDeviceMappings: [] })),
    };
  };
}

function checked(state: LocalEc2State, input: RunInstancesCommandInput): ImageRecord {
  if (input.ImageId === undefined) throw missingParameter('The request must contain the parameter ImageId');
  const image = findImage(state, input.ImageId);
  const tokens = input.MetadataOptions?.HttpTokens as string | undefined;
  if (tokens !== undefined && tokens !== 'optional' && tokens !== 'required')
    throw invalidParameterValue(
      `A value of '${tokens}' is not valid for HttpTokens. Specify either 'optional' or 'required' and try again.`,
    );
  if (input.SubnetId !== undefined && input.NetworkInterfaces?.length)
    throw invalidCombination(
      'Network interfaces and an instance-level subnet ID may not be specified on the same request',
    );
  if (input.MinCount !== 1 || input.MaxCount !== 1)
    throw new AwsError('Unsupported', 'The embedded cloud launches one instance a call.');
  return image;
}

function networkOf(state: LocalEc2State, input: RunInstancesCommandInput) {
  const [networkInterface] = input.NetworkInterfaces ?? [];
  const subnet = findSubnet(state, networkInterface?.SubnetId ?? input.SubnetId ?? DEFAULT_SUBNET_ID);
  const groupIds = networkInterface?.Groups ?? input.SecurityGroupIds ?? [DEFAULT_SECURITY_GROUP_ID];
  const groups = groupIds.map((id) => {
    const { groupId, groupName } = findSecurityGroup(state, id);
    return { GroupId: groupId, GroupName: groupName };
  });
  const used = new Set([...state.instances.values()].map(({ privateIpAddress }) => privateIpAddress));
  const [a, b] = subnet.cidrBlock.split('.');
  let host = 256;
  const address = () => `${a}.${b}.${Math.floor(host / 256)}.${host % 256}`;
  while (used.has(address()) || host % 256 < 4) host += 1;
  return {
    subnet,
    groups,
    privateIpAddress: networkInterface?.PrivateIpAddress ?? input.PrivateIpAddress ?? address(),
  };
}

async function attachImageVolumes(
  state: LocalEc2State,
  input: RunInstancesCommandInput,
  image: ImageRecord,
  instance: InstanceRecord,
  tags: Record<string, string>,
): Promise<void> {
  for (const device of image.blockDevices) {
    const override = input.BlockDeviceMappings?.find(
      ({ DeviceName }) => DeviceName === device.deviceName,
    )?.Ebs;
    const snapshot = state.snapshots.get(device.snapshotId);
    if (!snapshot)
      throw new AwsError('InvalidSnapshot.NotFound', `The snapshot '${device.snapshotId}' does not exist.`);
    const performance = performanceOf({
      volumeType: override?.VolumeType ?? device.volumeType,
      sizeGiB: Math.max(override?.VolumeSize ?? 0, device.sizeGiB),
      iops: override?.Iops,
      throughput: override?.Throughput,
    });
    const volume = newVolume(state, {
      zone: instance.availabilityZone,
      snapshot,
      encrypted: snapshot.encrypted,
      kmsKeyId: snapshot.kmsKeyId,
      tags: { ...tags },
      ...performance,
    });
    await fillVolume(state, volume);
    const now = state.now();
    volume.availableAt = now;
    volume.attachment = {
      instanceId: instance.instanceId,
      device: device.deviceName,
      deleteOnTermination: override?.DeleteOnTermination ?? device.deleteOnTermination,
      attachTime: now,
      attachedAt: now + state.timings.attaching,
    };
  }
  state.changed();
}

const profileArn = ({ IamInstanceProfile: profile }: RunInstancesCommandInput): string | undefined =>
  profile?.Arn ??
  (profile?.Name === undefined ? undefined : `arn:aws:iam::${ACCOUNT_ID}:instance-profile/${profile.Name}`);

const reservation = (state: LocalEc2State, instance: InstanceRecord): Reservation => ({
  ReservationId: instance.reservationId,
  OwnerId: ACCOUNT_ID,
  Groups: [],
  Instances: [toInstance(state, instance)],
});
