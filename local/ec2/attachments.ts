import type {
  AttachVolumeCommandInput,
  DetachVolumeCommandInput,
  VolumeAttachment,
} from '@aws-sdk/client-ec2';
import type { LocalEc2State } from '../state/local-ec2-state';
import type { InstanceRecord, VolumeRecord } from '../state/resources';
import { AwsError } from '../wire';
import {
  endDryRun,
  incorrectState,
  instanceNotFound,
  invalidParameterValue,
  missingParameter,
  volumeNotFound,
} from './ec2-errors';
import { attachmentState, findVolume, toAttachment, volumeState } from './volume-view';

/** Volumes that an instance holds now, those on their way in or out included. */
export function volumesOf(state: LocalEc2State, instanceId: string): VolumeRecord[] {
  const now = state.now();
  return [...state.volumes.values()].filter(
    ({ attachment }) => attachment?.instanceId === instanceId && attachmentState(attachment, now),
  );
}

export function attachVolumeHandler(state: LocalEc2State) {
  return (input: AttachVolumeCommandInput): VolumeAttachment => {
    const { VolumeId = '', InstanceId = '', Device } = input;
    if (Device === undefined || Device === '')
      throw missingParameter('The request must contain the parameter device');
    const volume = findVolume(state, VolumeId);
    if (!volume) throw volumeNotFound(VolumeId);
    const instance = state.instances.get(InstanceId);
    if (!instance) throw instanceNotFound([InstanceId]);
    const now = state.now();
    const current = volumeState(volume, now);
    if (current === 'in-use')
      throw new AwsError('VolumeInUse', `${VolumeId} is already attached to an instance`);
    if (current !== 'available') throw incorrectState(`Volume '${VolumeId}' is not 'available'.`);
    if (volume.availabilityZone !== instance.availabilityZone)
      throw new AwsError(
        'InvalidVolume.ZoneMismatch',
        `The volume '${VolumeId}' is not in the same availability zone as instance '${InstanceId}'`,
      );
    checkInstance(instance, Device, volume);
    const taken = volumesOf(state, InstanceId).find(({ attachment }) => attachment?.device === Device);
    if (taken)
      throw invalidParameterValue(
        `Invalid value '${Device}' for unixDevice. Attachment point ${Device} is already in use`,
      );
    endDryRun(input.DryRun);
    volume.attachment = {
      instanceId: InstanceId,
      device: Device,
      // A volume attached after the launch is kept when the instance goes, unless it is said otherwise later.
      deleteOnTermination: false,
      attachTime: now,
      attachedAt: now + state.timings.attaching,
    };
    state.changed();
    return { ...toAttachment(volume, volume.attachment), State: 'attaching' };
  };
}

function checkInstance(instance: InstanceRecord, device: string, volume: VolumeRecord): void {
  const { instanceId, state } = instance;
  if (state !== 'running' && state !== 'stopped')
    throw incorrectState(`Instance '${instanceId}' is not 'running' or 'stopped'.`);
  if (state === 'running' && device === instance.rootDeviceName)
    throw incorrectState(
      `Instance '${instanceId}' is running: its root device ${device} can be attached while it is stopped only.`,
    );
  if (state === 'running' && (volume.productCodes?.length ?? 0) > 0)
    throw new AwsError(
      'IncorrectInstanceState',
      `Instance '${instanceId}' must be stopped to attach a volume with a product code.`,
    );
}

export function detachVolumeHandler(state: LocalEc2State) {
  return (input: DetachVolumeCommandInput): VolumeAttachment => {
    const { VolumeId = '' } = input;
    const volume = findVolume(state, VolumeId);
    if (!volume) throw volumeNotFound(VolumeId);
    const now = state.now();
    const { attachment } = volume;
    const current = attachmentState(attachment, now);
    if (!attachment || !current) throw incorrectState(`Volume '${VolumeId}' is in the 'available' state.`);
    const wrong =
      (input.InstanceId !== undefined && input.InstanceId !== attachment.instanceId) ||
      (input.Device !== undefined && input.Device !== attachment.device);
    if (wrong)
      throw new AwsError(
        'InvalidAttachment.NotFound',
        `Volume '${VolumeId}' is not attached to instance '${input.InstanceId ?? attachment.instanceId}' as device ${input.Device ?? attachment.device}.`,
      );
    if (current === 'detaching') throw incorrectState(`Volume '${VolumeId}' is in the 'detaching' state.`);
    const instance = state.instances.get(attachment.instanceId);
    if (instance && attachment.device === instance.rootDeviceName && instance.state !== 'stopped')
      throw incorrectState(
        `Unable to detach root volume '${VolumeId}' from instance '${instance.instanceId}'`,
      );
    endDryRun(input.DryRun);
    attachment.detachedAt = now + state.timings.detaching;
    state.changed();
    return { ...toAttachment(volume, attachment), State: 'detaching' };
  };
}
