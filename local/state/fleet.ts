import { stat } from 'node:fs/promises';
import { DEFAULT_AVAILABILITY_ZONE } from './account';
import { BYTES_PER_GIB } from './block-storage';
import { newId } from './ids';
import {
  DEFAULT_SECURITY_GROUP_ID,
  DEFAULT_SUBNET_ID,
  DEFAULT_VPC_ID,
  type LocalEc2State,
} from './local-ec2-state';
import type { InstanceRecord, Tags, VolumeRecord } from './resources';

/** Takes a raw disk file in as an `available` volume; its size is rounded up to whole GiB. */
export async function importVolume(
  state: LocalEc2State,
  options: {
    rawFile: string;
    /** Default gp3. */
    volumeType?: string;
    encrypted?: boolean;
    kmsKeyId?: string;
    availabilityZone?: string;
    tags?: Tags;
  },
): Promise<VolumeRecord> {
  const now = state.now();
  const volumeType = options.volumeType ?? 'gp3';
  const volume: VolumeRecord = {
    volumeId: newId('vol'),
    sizeGiB: Math.ceil((await stat(options.rawFile)).size / BYTES_PER_GIB),
    availabilityZone: options.availabilityZone ?? DEFAULT_AVAILABILITY_ZONE,
    volumeType,
    ...(volumeType === 'gp3' ? { iops: 3000, throughput: 125 } : {}),
    encrypted: options.encrypted ?? false,
    kmsKeyId: options.kmsKeyId,
    snapshotId: '',
    lineage: newId('lineage'),
    createTime: now,
    availableAt: now,
    tags: options.tags ?? {},
  };
  await state.storage.importFile(options.rawFile, volume.volumeId, volume.sizeGiB * BYTES_PER_GIB);
  state.volumes.set(volume.volumeId, volume);
  state.changed();
  return volume;
}

export interface NewInstance {
  /** The tag `Name`. */
  name: string;
  tags?: Tags;
  /** Root volume: of `importVolume`. */
  volumeId: string;
  privateIp: string;
  instanceType?: string;
  architecture?: string;
  rootDeviceName?: string;
  /** Overrides for machines that a run must leave alone: Windows, marketplace, hibernated, instance store... */
  overrides?: Partial<InstanceRecord>;
}

/** Adds a stopped instance around an imported volume. Start it by StartInstances, as anybody would. */
export function addInstance(state: LocalEc2State, options: NewInstance): InstanceRecord {
  const volume = state.volumes.get(options.volumeId);
  if (!volume) throw new Error(`There is no volume ${options.volumeId}.`);
  const now = state.now();
  const rootDeviceName = options.rootDeviceName ?? '/dev/xvda';
  const instance: InstanceRecord = {
    instanceId: newId('i'),
    reservationId: newId('r'),
    imageId: newId('ami'),
    instanceType: options.instanceType ?? 't3.small',
    architecture: options.architecture ?? 'x86_64',
    availabilityZone: volume.availabilityZone,
    subnetId: DEFAULT_SUBNET_ID,
    vpcId: DEFAULT_VPC_ID,
    securityGroups: [{ GroupId: DEFAULT_SECURITY_GROUP_ID, GroupName: 'default' }],
    privateIpAddress: options.privateIp,
    rootDeviceName,
    rootDeviceType: 'ebs',
    launchTime: now,
    state: 'stopped',
    stateReason: {
      Code: 'Client.UserInitiatedShutdown',
      Message: 'Client.UserInitiatedShutdown: User initiated shutdown',
    },
    stateTransitionReason: 'User initiated',
    productCodes: [],
    hibernationConfigured: false,
    metadataHttpTokens: 'required',
    disableApiTermination: false,
    disableApiStop: false,
    tags: { Name: options.name, ...options.tags },
    ...options.overrides,
  };
  volume.attachment = {
    instanceId: instance.instanceId,
    device: rootDeviceName,
    deleteOnTermination: true,
    attachTime: now,
    attachedAt: now,
  };
  state.instances.set(instance.instanceId, instance);
  state.changed();
  return instance;
}

/** Attaches an imported volume beside the root volume, as if it had been there from the launch on. */
export function attachDataVolume(
  state: LocalEc2State,
  { instanceId, volumeId, device }: { instanceId: string; volumeId: string; device: string },
): void {
  const volume = state.volumes.get(volumeId);
  if (!volume) throw new Error(`There is no volume ${volumeId}.`);
  const now = state.now();
  volume.attachment = { instanceId, device, deleteOnTermination: true, attachTime: now, attachedAt: now };
  state.changed();
}
