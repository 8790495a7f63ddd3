import {
  type _InstanceType,
  type ArchitectureValues,
  DeregisterImageCommand,
  DescribeImagesCommand,
  type EC2Client,
  RegisterImageCommand,
  RunInstancesCommand,
  TerminateInstancesCommand,
} from '@aws-sdk/client-ec2';
import type { TargetDocument, VolumeSnapshot } from '../../core/workflow/documents';
import { TAGS } from '../../core/workflow/keys';
import { clientToken } from '../client-token';
import { hasCode } from '../service-errors';
import { findInstances } from './describe';
import { type Tags, tagFilters, tagSpecification } from './tags';

/** Where clones run. The security groups must let nothing in. */
export interface CloneNetwork {
  /** Without it the original's subnet. */
  readonly subnetId?: string;
  readonly securityGroupIds: readonly string[];
  /** Lets the agent of the clone register with Systems Manager. */
  readonly instanceProfileName?: string;
  /** Without it the original's. */
  readonly instanceType?: string;
}

/** @param originalId the member whose copy the clone is: a class may have two clones */
export const cloneTags = (run: string, classId: string, originalId: string): Tags => ({
  [TAGS.run]: run,
  [TAGS.classId]: classId,
  [TAGS.instance]: originalId,
  [TAGS.purpose]: 'clone',
});

/** Registers the isolated copy as an image, or finds the one that an earlier try registered: names are unique. */
export async function registerCloneImage(
  ec2: EC2Client,
  run: string,
  classId: string,
  original: TargetDocument,
  snapshots: readonly VolumeSnapshot[],
): Promise<string> {
  const name = `imageelves-${run}-${classId}-${original.instanceId}`;
  try {
    const registered = await ec2.send(
      new RegisterImageCommand({
        Name: name,
        Description: `Isolated copy of ${original.instanceId}`,
        Architecture: original.architecture as ArchitectureValues,
        RootDeviceName: original.rootDeviceName,
        VirtualizationType: 'hvm',
        EnaSupport: true,
        ...(original.bootMode === undefined ? {} : { BootMode: original.bootMode as 'uefi' | 'legacy-bios' }),
        BlockDeviceMappings: snapshots.map(({ deviceName, snapshotId }) => ({
          DeviceName: deviceName,
          Ebs: { SnapshotId: snapshotId, VolumeType: 'gp3', DeleteOnTermination: true },
        })),
        TagSpecifications: tagSpecification('image', cloneTags(run, classId, original.instanceId)),
      }),
    );
    return registered.ImageId!;
  } catch (error) {
    if (!hasCode(error, 'InvalidAMIName.Duplicate')) throw error;
    const found = await ec2.send(
      new DescribeImagesCommand({ Owners: ['self'], Filters: [{ Name: 'name', Values: [name] }] }),
    );
    const imageId = found.Images?.[0]?.ImageId;
    if (imageId === undefined) throw error;
    return imageId;
  }
}

/** Idempotent by its token. */
export async function runClone(
  ec2: EC2Client,
  run: string,
  classId: string,
  original: TargetDocument,
  imageId: string,
  network: CloneNetwork,
): Promise<string> {
  const tags = {
    ...cloneTags(run, classId, original.instanceId),
    Name: `imageelves clone of ${original.instanceId}`,
  };
  const subnetId = network.subnetId ?? original.subnetId;
  const started = await ec2.send(
    new RunInstancesCommand({
      ImageId: imageId,
      ClientToken: clientToken(run, classId, 'clone', imageId),
      MinCount: 1,
      MaxCount: 1,
      InstanceType: (network.instanceType ?? original.instanceType) as _InstanceType,
      ...(subnetId === undefined ? {} : { SubnetId: subnetId }),
      SecurityGroupIds: [...network.securityGroupIds],
      ...(network.instanceProfileName === undefined
        ? {}
        : { IamInstanceProfile: { Name: network.instanceProfileName } }),
      MetadataOptions: { HttpTokens: 'required' },
      InstanceInitiatedShutdownBehavior: 'terminate',
      TagSpecifications: [...tagSpecification('instance', tags), ...tagSpecification('volume', tags)],
    }),
  );
  return started.Instances![0]!.InstanceId!;
}

/**
 * Terminates the clones with these tags and removes their images.
 * @returns how many clones there are, and whether all of them are gone
 */
export async function terminateClones(
  ec2: EC2Client,
  tags: Tags,
): Promise<{ readonly clones: number; readonly done: boolean }> {
  const clones = await findInstances(ec2, tagFilters(tags));
  const alive = clones.filter(({ State }) => State?.Name !== 'terminated');
  const toTerminate = alive.filter(({ State }) => State?.Name !== 'shutting-down');
  if (toTerminate.length > 0) {
    await ec2.send(
      new TerminateInstancesCommand({ InstanceIds: toTerminate.map(({ InstanceId }) => InstanceId!) }),
    );
  }
  const images = await ec2.send(new DescribeImagesCommand({ Owners: ['self'], Filters: tagFilters(tags) }));
  for (const { ImageId } of images.Images ?? []) await deregister(ec2, ImageId!);
  return { clones: clones.length, done: alive.length === 0 };
}

async function deregister(ec2: EC2Client, imageId: string): Promise<void> {
  try {
    await ec2.send(new DeregisterImageCommand({ ImageId: imageId }));
  } catch (error) {
    // Reads lag behind: it is listed for a while when it is gone.
    if (!hasCode(error, 'InvalidAMIID.NotFound', 'InvalidAMIID.Unavailable')) throw error;
  }
}
