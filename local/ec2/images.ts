import type {
  DeregisterImageCommandInput,
  DescribeImagesCommandInput,
  Image,
  RegisterImageCommandInput,
} from '@aws-sdk/client-ec2';
import { ACCOUNT_ID } from '../state/account';
import { newId } from '../state/ids';
import type { LocalEc2State } from '../state/local-ec2-state';
import type { ImageRecord } from '../state/resources';
import { AwsError } from '../wire';
import { endDryRun, incorrectState, invalidParameterValue, missingParameter, wellFormed } from './ec2-errors';
import { applyFilters } from './filters';
import { page } from './pagination';
import { snapshotState } from './snapshot-view';
import { tagsFor, toTagSet } from './tag-sets';

export function registerImageHandler(state: LocalEc2State) {
  return (input: RegisterImageCommandInput): { ImageId: string } => {
    const { Name, RootDeviceName = '/dev/sda1' } = input;
    if (Name === undefined || Name.length < 3)
      throw new AwsError('InvalidAMIName.Malformed', 'AMI names must be between 3 and 128 characters long');
    const taken = [...state.images.values()].find((image) => image.name === Name);
    if (taken)
      throw new AwsError(
        'InvalidAMIName.Duplicate',
        `AMI name ${Name} is already in use by AMI ${taken.imageId}`,
      );
    const blockDevices = (input.BlockDeviceMappings ?? []).flatMap(({ DeviceName, Ebs }) => {
      if (DeviceName === undefined || !Ebs?.SnapshotId) return [];
      const snapshot = state.snapshots.get(Ebs.SnapshotId);
      if (!snapshot)
        throw new AwsError('InvalidSnapshot.NotFound', `The snapshot '${Ebs.SnapshotId}' does not exist.`);
      const current = snapshotState(snapshot, state.now());
      if (current !== 'completed')
        throw incorrectState(`Snapshot '${Ebs.SnapshotId}' is in invalid state - ${current}`);
      return [
        {
          deviceName: DeviceName,
          snapshotId: Ebs.SnapshotId,
          sizeGiB: Math.max(Ebs.VolumeSize ?? 0, snapshot.sizeGiB),
          volumeType: Ebs.VolumeType ?? 'gp2',
          deleteOnTermination: Ebs.DeleteOnTermination ?? true,
          encrypted: snapshot.encrypted,
        },
      ];
    });
    if (!blockDevices.some(({ deviceName }) => deviceName === RootDeviceName))
      throw new AwsError(
        'InvalidBlockDeviceMapping',
        `The root device '${RootDeviceName}' has no snapshot in the block device mapping.`,
      );
    const image: ImageRecord = {
      imageId: newId('ami'),
      name: Name,
      description: input.Description ?? '',
      architecture: input.Architecture ?? 'i386',
      rootDeviceName: RootDeviceName,
      creationDate: state.now(),
      blockDevices,
      bootMode: input.BootMode,
      enaSupport: input.EnaSupport ?? false,
      tags: tagsFor('image', input.TagSpecifications),
    };
    endDryRun(input.DryRun);
    state.images.set(image.imageId, image);
    state.changed();
    return { ImageId: image.imageId };
  };
}

export function findImage(state: LocalEc2State, imageId: string): ImageRecord {
  if (!wellFormed(imageId, 'ami')) throw new AwsError('InvalidAMIID.Malformed', `Invalid id: "${imageId}"`);
  const image = state.images.get(imageId);
  if (!image) throw new AwsError('InvalidAMIID.NotFound', `The image id '[${imageId}]' does not exist`);
  return image;
}

export function describeImagesHandler(state: LocalEc2State) {
  return (input: DescribeImagesCommandInput): { Images: Image[]; NextToken?: string } => {
    endDryRun(input.DryRun);
    const chosen = input.ImageIds?.length
      ? input.ImageIds.map((id) => findImage(state, id))
      : [...state.images.values()];
    const owners = input.Owners ?? [];
    const owned = owners.length === 0 || owners.includes('self') || owners.includes(ACCOUNT_ID);
    const found = applyFilters(
      owned ? chosen : [],
      input.Filters,
      ({ tags }) => tags,
      (name, image) => {
        if (name === 'name') return [image.name];
        if (name === 'image-id') return [image.imageId];
        if (name === 'state') return ['available'];
        if (name === 'architecture') return [image.architecture];
        if (name === 'owner-id') return [ACCOUNT_ID];
        if (name === 'block-device-mapping.snapshot-id')
          return image.blockDevices.map(({ snapshotId }) => snapshotId);
        return undefined;
      },
    );
    const { items, NextToken } = page(found, input);
    return { Images: items.map(toImage), NextToken };
  };
}

function toImage(image: ImageRecord): Image {
  return {
    ImageId: image.imageId,
    Name: image.name,
    Description: image.description,
    State: 'available',
    OwnerId: ACCOUNT_ID,
    ImageType: 'machine',
    Public: false,
    Architecture: image.architecture as Image['Architecture'],
    CreationDate: new Date(image.creationDate).toISOString(),
    RootDeviceName: image.rootDeviceName,
    RootDeviceType: 'ebs',
    VirtualizationType: 'hvm',
    Hypervisor: 'xen',
    PlatformDetails: 'Linux/UNIX',
    EnaSupport: image.enaSupport,
    BootMode: image.bootMode as Image['BootMode'],
    BlockDeviceMappings: image.blockDevices.map((device) => ({
      DeviceName: device.deviceName,
      Ebs: {
        SnapshotId: device.snapshotId,
        VolumeSize: device.sizeGiB,
        VolumeType: device.volumeType as 'gp2',
        DeleteOnTermination: device.deleteOnTermination,
        Encrypted: device.encrypted,
      },
    })),
    Tags: toTagSet(image.tags),
  };
}

/** Image attributes are the owner's business; blockDeviceMapping is refused to everybody. */
export function describeImageAttributeHandler(state: LocalEc2State) {
  return (input: { ImageId?: string; Attribute?: string }) => {
    const image = findImage(state, input.ImageId ?? '');
    if (input.Attribute === 'blockDeviceMapping')
      throw new AwsError('AuthFailure', 'Unauthorized attempt to access restricted resource');
    if (input.Attribute === 'description')
      return { ImageId: image.imageId, Description: { Value: image.description } };
    if (input.Attribute === undefined)
      throw missingParameter('The request must contain the parameter attribute');
    throw invalidParameterValue(
      `Value (${input.Attribute}) for parameter attribute is invalid. Unknown attribute.`,
    );
  };
}

export function deregisterImageHandler(state: LocalEc2State) {
  return (input: DeregisterImageCommandInput): { Return: boolean } => {
    const image = findImage(state, input.ImageId ?? '');
    endDryRun(input.DryRun);
    state.images.delete(image.imageId);
    state.changed();
    return { Return: true };
  };
}
