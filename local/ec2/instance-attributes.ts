import type {
  DescribeInstanceAttributeCommandInput,
  ModifyInstanceAttributeCommandInput,
} from '@aws-sdk/client-ec2';
import type { LocalEc2State } from '../state/local-ec2-state';
import type { InstanceRecord } from '../state/resources';
import { AwsError } from '../wire';
import { volumesOf } from './attachments';
import { findInstance, toInstance } from './describe-instances';
import { endDryRun, invalidCombination, invalidParameterValue } from './ec2-errors';

export function modifyInstanceAttributeHandler(state: LocalEc2State) {
  return (input: ModifyInstanceAttributeCommandInput): void => {
    const instance = findInstance(state, input.InstanceId);
    const { InstanceId: _id, DryRun, ...attributes } = input;
    const given = Object.entries(attributes).filter(([, value]) => value !== undefined);
    if (given.length === 0) throw invalidCombination('No attributes specified.');
    if (given.length > 1) throw invalidCombination('Fields for multiple attribute types specified');
    if (instance.state === 'terminated')
      throw new AwsError('IncorrectInstanceState', `The instance '${instance.instanceId}' is terminated.`);
    endDryRun(DryRun);
    if (input.BlockDeviceMappings) setDeleteOnTermination(state, instance, input.BlockDeviceMappings);
    else if (input.DisableApiTermination)
      instance.disableApiTermination = input.DisableApiTermination.Value ?? false;
    else if (input.DisableApiStop) instance.disableApiStop = input.DisableApiStop.Value ?? false;
    else if (input.InstanceType) {
      whenStopped(instance);
      instance.instanceType = input.InstanceType.Value ?? instance.instanceType;
    } else if (input.Groups) {
      instance.securityGroups = input.Groups.map((GroupId) => ({
        GroupId,
        GroupName: state.securityGroups.get(GroupId)?.groupName ?? GroupId,
      }));
    } else if (input.UserData) {
      whenStopped(instance);
      instance.userData = Buffer.from(input.UserData.Value ?? '').toString('base64');
    } else throw new AwsError('Unsupported', `The embedded cloud does not change ${given[0]?.[0]}.`);
    state.changed();
  };
}

function setDeleteOnTermination(
  state: LocalEc2State,
  instance: InstanceRecord,
  mappings: NonNullable<ModifyInstanceAttributeCommandInput['BlockDeviceMappings']>,
): void {
  for (const mapping of mappings) {
    const volume = volumesOf(state, instance.instanceId).find(
      ({ attachment }) => attachment?.device === mapping.DeviceName,
    );
    if (!volume?.attachment)
      throw new AwsError(
        'InvalidInstanceAttributeValue',
        `No device is currently mapped at ${mapping.DeviceName ?? ''}`,
      );
    volume.attachment.deleteOnTermination = mapping.Ebs?.DeleteOnTermination ?? true;
  }
}

function whenStopped(instance: InstanceRecord): void {
  if (instance.state !== 'stopped')
    throw new AwsError(
      'IncorrectInstanceState',
      `The instance '${instance.instanceId}' is not in the 'stopped' state.`,
    );
}

export function describeInstanceAttributeHandler(state: LocalEc2State) {
  return (input: DescribeInstanceAttributeCommandInput) => {
    endDryRun(input.DryRun);
    const instance = findInstance(state, input.InstanceId);
    const InstanceId = instance.instanceId;
    switch (input.Attribute) {
      case 'blockDeviceMapping':
        return { InstanceId, BlockDeviceMappings: toInstance(state, instance).BlockDeviceMappings };
      case 'disableApiTermination':
        return { InstanceId, DisableApiTermination: { Value: instance.disableApiTermination } };
      case 'disableApiStop':
        return { InstanceId, DisableApiStop: { Value: instance.disableApiStop } };
      case 'groupSet':
        return { InstanceId, Groups: instance.securityGroups };
      case 'instanceType':
        return { InstanceId, InstanceType: { Value: instance.instanceType } };
      case 'rootDeviceName':
        return { InstanceId, RootDeviceName: { Value: instance.rootDeviceName } };
      case 'userData':
        return { InstanceId, UserData: { Value: instance.userData } };
      default:
        throw invalidParameterValue(
          `Value (${input.Attribute}) for parameter attribute is invalid. Unknown attribute.`,
        );
    }
  };
}
