import type { AttachedDisk } from '../disks/disk-filesystems';
import type { LocalEc2State } from '../state/local-ec2-state';
import { volumesOf } from './attachments';

/**
 * The volumes that a machine is booted with, the root volume first. Those kept in memory have no file, and no real
 * machine boots from them.
 * @throws Error when no volume is attached at the root device
 */
export function attachedDisks(state: LocalEc2State, instanceId: string): AttachedDisk[] {
  const rootDevice = state.instances.get(instanceId)?.rootDeviceName;
  const attached = volumesOf(state, instanceId).flatMap(({ volumeId, attachment }) =>
    attachment && attachment.detachedAt === undefined ? [{ volumeId, device: attachment.device }] : [],
  );
  const disks = attached
    .map(({ volumeId, device }) => ({ device, file: state.storage.fileOf(volumeId) ?? '' }))
    .sort((a, b) => Number(b.device === rootDevice) - Number(a.device === rootDevice));
  if (disks[0]?.device !== rootDevice) throw new Error(`no volume is attached at ${rootDevice}`);
  return disks;
}
