import type { Instance, Volume } from '@aws-sdk/client-ec2';
import type { AttachedVolume, TargetDocument, VolumeAttributes } from '../../core/workflow/documents';
import { tagsOf } from './tags';

/** What a run keeps of an instance that is a target (exclusion.ts has said that it is complete). */
export function targetOf(instance: Instance, volumes: ReadonlyMap<string, Volume>): TargetDocument {
  return {
    instanceId: instance.InstanceId!,
    name: tagsOf(instance.Tags)['Name'] ?? '',
    state: instance.State!.Name as 'running' | 'stopped',
    instanceType: instance.InstanceType!,
    architecture: instance.Architecture!,
    bootMode: instance.CurrentInstanceBootMode ?? instance.BootMode,
    subnetId: instance.SubnetId,
    rootDeviceName: instance.RootDeviceName!,
    launchTime: launchTimeOf(instance),
    volumes: attachedVolumes(instance, volumes),
  };
}

/** ISO time of the last start. */
export function launchTimeOf(instance: Instance): string {
  return instance.LaunchTime!.toISOString();
}

/** Volumes by device, the root first. */
export function attachedVolumes(instance: Instance, volumes: ReadonlyMap<string, Volume>): AttachedVolume[] {
  return (instance.BlockDeviceMappings ?? [])
    .flatMap(({ DeviceName, Ebs }) => {
      const volume = Ebs?.VolumeId === undefined ? undefined : volumes.get(Ebs.VolumeId);
      if (volume === undefined || DeviceName === undefined) return [];
      return [
        {
          volumeId: volume.VolumeId!,
          deviceName: DeviceName,
          isRoot: DeviceName === instance.RootDeviceName,
          deleteOnTermination: Ebs?.DeleteOnTermination === true,
          attributes: volumeAttributes(volume),
        },
      ];
    })
    .sort((a, b) => Number(b.isRoot) - Number(a.isRoot) || (a.deviceName < b.deviceName ? -1 : 1));
}

/** What a volume that takes another's place must have. IOPS and throughput only where they can be asked for. */
export function volumeAttributes(volume: Volume): VolumeAttributes {
  const type = volume.VolumeType!;
  const tags = Object.entries(tagsOf(volume.Tags)).filter(([key]) => !key.startsWith('aws:'));
  return {
    type,
    sizeGib: volume.Size!,
    ...(['gp3', 'io1', 'io2'].includes(type) && volume.Iops !== undefined ? { iops: volume.Iops } : {}),
    ...(type === 'gp3' && volume.Throughput !== undefined ? { throughput: volume.Throughput } : {}),
    encrypted: volume.Encrypted === true,
    ...(volume.KmsKeyId === undefined ? {} : { kmsKeyId: volume.KmsKeyId }),
    availabilityZone: volume.AvailabilityZone!,
    tags: Object.fromEntries(tags),
  };
}
