import type { EC2Client, Instance, Volume } from '@aws-sdk/client-ec2';
import type { VolumeSwap } from '../../core/workflow/documents';
import { describeInstance, findVolumesById } from '../ec2/describe';
import { launchTimeOf } from '../ec2/target';

/** Where one device of the instance stands. */
export interface DeviceState {
  readonly swap: VolumeSwap;
  /** What the device holds; undefined when it holds nothing. */
  readonly attachedVolumeId: string | undefined;
  /** Of that attachment: `attached`, or under way. */
  readonly attachment: string | undefined;
  readonly deleteOnTermination: boolean | undefined;
}

/** What EC2 says now of an instance and of all volumes of its swap. */
export interface SwapState {
  readonly instanceState: string;
  readonly launchTime: string;
  readonly devices: readonly DeviceState[];
  readonly volumes: ReadonlyMap<string, Volume>;
}

export async function readSwapState(
  ec2: EC2Client,
  instanceId: string,
  swaps: readonly VolumeSwap[],
): Promise<SwapState> {
  const ids = swaps.flatMap(({ oldVolumeId, newVolumeId }) => [oldVolumeId, newVolumeId]);
  const [instance, volumes] = await Promise.all([
    describeInstance(ec2, instanceId),
    findVolumesById(ec2, ids),
  ]);
  const byId = new Map(volumes.map((volume) => [volume.VolumeId!, volume]));
  return {
    instanceState: instance.State?.Name ?? 'unknown',
    launchTime: launchTimeOf(instance),
    devices: swaps.map((swap) => deviceState(instance, instanceId, swap, byId)),
    volumes: byId,
  };
}

/**
 * An attachment under way is told by the volume before the instance shows it, and the reverse: where the two disagree,
 * what the volume says counts as under way.
 */
function deviceState(
  instance: Instance,
  instanceId: string,
  swap: VolumeSwap,
  volumes: ReadonlyMap<string, Volume>,
): DeviceState {
  const mapping = instance.BlockDeviceMappings?.find(({ DeviceName }) => DeviceName === swap.deviceName);
  const attached = mapping?.Ebs?.VolumeId;
  const told = [swap.newVolumeId, swap.oldVolumeId].find((id) =>
    volumes.get(id)?.Attachments?.some(({ InstanceId }) => InstanceId === instanceId),
  );
  const holder = attached ?? told;
  const ofVolume = volumes
    .get(holder ?? '')
    ?.Attachments?.find(({ InstanceId }) => InstanceId === instanceId)?.State;
  const ofInstance = mapping?.Ebs?.Status;
  return {
    swap,
    attachedVolumeId: holder,
    attachment:
      holder === undefined
        ? undefined
        : ofInstance === 'attached' && ofVolume !== undefined
          ? ofVolume
          : (ofVolume ?? ofInstance),
    deleteOnTermination: attached === undefined ? undefined : mapping?.Ebs?.DeleteOnTermination,
  };
}
