import type { Volume } from '@aws-sdk/client-ec2';
import type { VolumeSwap } from '../../core/workflow/documents';
import type { DeviceState, SwapState } from './swap-state';

export type Direction = 'forward' | 'back';

/** The one thing to do next, or why there is nothing to do. */
export type SwapAction =
  | { readonly kind: 'done' }
  | { readonly kind: 'wait'; readonly why: string }
  | { readonly kind: 'detach'; readonly swap: VolumeSwap; readonly volumeId: string }
  | { readonly kind: 'attach'; readonly swap: VolumeSwap; readonly volumeId: string }
  | { readonly kind: 'set-delete-on-termination'; readonly swap: VolumeSwap }
  | { readonly kind: 'started' }
  | { readonly kind: 'blocked'; readonly why: string };

/**
 * Decides, from what EC2 says now, the next step towards every device holding the wanted volume. The root is detached
 * first and attached last: an instance without a root cannot be started, so nobody can start it half swapped.
 */
export function nextAction(state: SwapState, direction: Direction, launchTime: string): SwapAction {
  const wanted = ({ swap }: DeviceState): string =>
    direction === 'forward' ? swap.newVolumeId : swap.oldVolumeId;
  const arrived = (device: DeviceState): boolean => device.attachedVolumeId === wanted(device);

  const stranger = state.devices.find(
    ({ attachedVolumeId, swap }) =>
      attachedVolumeId !== undefined && ![swap.oldVolumeId, swap.newVolumeId].includes(attachedVolumeId),
  );
  if (stranger !== undefined) {
    const { swap, attachedVolumeId } = stranger;
    return { kind: 'blocked', why: `${swap.deviceName} holds ${attachedVolumeId}, which is not of this run` };
  }

  const missing = state.devices.filter((device) => !arrived(device));
  if (missing.length > 0) {
    if (!mayChange(state, direction, launchTime)) return { kind: 'started' };
    return changeOf(state, missing, wanted);
  }
  const settling = state.devices.find(({ attachment }) => attachment !== 'attached');
  if (settling !== undefined) {
    return { kind: 'wait', why: `${wanted(settling)} is ${settling.attachment ?? 'settling'}` };
  }
  const flag = state.devices.find((device) => device.deleteOnTermination !== device.swap.deleteOnTermination);
  return flag === undefined ? { kind: 'done' } : { kind: 'set-delete-on-termination', swap: flag.swap };
}

/**
 * Volumes are exchanged on a stopped instance only. Forwards, it must also not have been started since its snapshot was
 * made, for then the new volume would be older than the old one; back, nothing of that matters.
 */
function mayChange(state: SwapState, direction: Direction, launchTime: string): boolean {
  if (state.instanceState !== 'stopped') return false;
  return direction === 'back' || state.launchTime === launchTime;
}

function changeOf(
  state: SwapState,
  missing: readonly DeviceState[],
  wanted: (device: DeviceState) => string,
): SwapAction {
  const root = missing.find(({ swap }) => swap.isRoot);
  const others = missing.filter(({ swap }) => !swap.isRoot);
  // The root comes off first and goes on last.
  const order =
    root?.attachedVolumeId !== undefined ? [root, ...others] : [...others, ...(root ? [root] : [])];
  const device = order[0]!;
  const { swap, attachedVolumeId, attachment } = device;
  // Looked at before anything is detached: a machine keeps the volume it has when there is no other one any more.
  const gone = missing.map(wanted).find((volumeId) => isGone(state.volumes.get(volumeId)));
  if (gone !== undefined) return { kind: 'blocked', why: `${gone} does not exist any more` };
  if (attachedVolumeId !== undefined) {
    return attachment === 'attached'
      ? { kind: 'detach', swap, volumeId: attachedVolumeId }
      : { kind: 'wait', why: `${attachedVolumeId} is ${attachment ?? 'being detached'}` };
  }
  const volumeId = wanted(device);
  const volume = state.volumes.get(volumeId)!;
  if (volume.State === 'available') return { kind: 'attach', swap, volumeId };
  const elsewhere = volume.Attachments?.[0]?.InstanceId;
  return elsewhere === undefined
    ? { kind: 'wait', why: `${volumeId} is ${volume.State}` }
    : { kind: 'blocked', why: `${volumeId} is attached to ${elsewhere}` };
}

const isGone = (volume: Volume | undefined): boolean =>
  volume === undefined || volume.State === 'deleting' || volume.State === 'deleted';
