import { DeleteVolumeCommand, type EC2Client, type Volume } from '@aws-sdk/client-ec2';
import { findInstancesById, findVolume } from '../ec2/describe';
import { LeaseHeldError } from '../s3/lease-store';
import { hasCode } from '../service-errors';
import type { Services } from '../services';

const INSTANCE_ID = /^i-[0-9a-f]{8,17}$/;

export const isInstanceId = (text: string | undefined): text is string =>
  text !== undefined && INSTANCE_ID.test(text);

/** One execution of keep-house: no two of them, and no run, are at a machine's volumes at the same time. */
export const housekeepingHolder = (execution: string): string => `housekeeping ${execution}`;

/**
 * Does something to the volumes of a machine while no run and no roll back can begin to exchange them.
 * @returns why not, when another has the machine
 */
export async function holdingMachine(
  { leases }: Services,
  instanceId: string,
  holder: string,
  work: () => Promise<void>,
): Promise<string | undefined> {
  try {
    await leases.take(instanceId, holder);
  } catch (error) {
    if (error instanceof LeaseHeldError) return error.message;
    throw error;
  }
  try {
    await work();
  } finally {
    await leases.release(instanceId, holder);
  }
  return undefined;
}

/** What became of one volume: `gone` when somebody else had deleted it. */
export type Deletion = 'deleted' | 'gone' | { readonly left: string };

/**
 * Deletes a volume that is available, unless there is a reason against it. Its state is read anew, at the last moment.
 * @param reasonToKeep of the volume as it is now
 */
export async function deleteIdleVolume(
  ec2: EC2Client,
  volumeId: string,
  reasonToKeep: (volume: Volume) => Promise<string | undefined>,
): Promise<Deletion> {
  const volume = await findVolume(ec2, volumeId);
  if (volume === undefined || volume.State === 'deleting' || volume.State === 'deleted') return 'gone';
  const reason = await reasonToKeep(volume);
  if (reason !== undefined) return { left: reason };
  if (volume.State !== 'available') return { left: `it is ${volume.State}` };
  try {
    await ec2.send(new DeleteVolumeCommand({ VolumeId: volumeId }));
    return 'deleted';
  } catch (error) {
    if (hasCode(error, 'InvalidVolume.NotFound')) return 'gone';
    // EC2 itself never deletes what is attached.
    if (hasCode(error, 'VolumeInUse')) return { left: 'it was attached at the last moment' };
    throw error;
  }
}

/**
 * Why a machine may still need the volume: an instance that holds nothing at the device may be waiting for it, taken off
 * by hand. Undefined when it holds another one, or is not there any more.
 */
export async function missedBy(
  ec2: EC2Client,
  instanceId: string,
  deviceName: string,
  volumeId: string,
): Promise<string | undefined> {
  const [instance] = await findInstancesById(ec2, [instanceId]);
  if (instance === undefined || instance.State?.Name === 'terminated') return undefined;
  const mapping = instance.BlockDeviceMappings?.find(({ DeviceName }) => DeviceName === deviceName);
  const held = mapping?.Ebs?.VolumeId;
  if (held === undefined) return `${instanceId} holds nothing at ${deviceName}`;
  return held === volumeId ? `${instanceId} holds it at ${deviceName}` : undefined;
}
