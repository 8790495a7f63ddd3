import { CreateSnapshotCommand, type EC2Client, type Snapshot } from '@aws-sdk/client-ec2';
import { type EBSClient, ListSnapshotBlocksCommand } from '@aws-sdk/client-ebs';
import type { AttachedVolume, VolumeSnapshot } from '../../core/workflow/documents';
import { SnapshotFailedError } from '../ebs/ebs-errors';
import { isSnapshotNotFound } from '../service-errors';
import { findSnapshot, findSnapshotsByTags } from './describe';
import { type Tags, tagSpecification } from './tags';

/**
 * The snapshot of one volume with these tags: found if an earlier try made it, made otherwise. CreateSnapshot takes no
 * client token, so the tags are what keeps a retry from making a second one.
 * @param tags must tell this snapshot from all others: run, volume and purpose
 */
export async function createSnapshotOnce(
  ec2: EC2Client,
  volume: AttachedVolume,
  tags: Tags,
  description: string,
): Promise<VolumeSnapshot> {
  const found = (await findSnapshotsByTags(ec2, tags)).filter(({ State }) => State !== 'error');
  const snapshot: Snapshot =
    found.sort(byStart)[0] ??
    (await ec2.send(
      new CreateSnapshotCommand({
        VolumeId: volume.volumeId,
        Description: description,
        TagSpecifications: tagSpecification('snapshot', tags),
      }),
    ));
  return {
    volumeId: volume.volumeId,
    deviceName: volume.deviceName,
    isRoot: volume.isRoot,
    snapshotId: snapshot.SnapshotId!,
    sizeGib: volume.attributes.sizeGib,
  };
}

/**
 * Whether a snapshot can be read and be a parent: EC2 says `completed`, and EBS direct, which can lag a minute behind,
 * lists it.
 * @throws SnapshotFailedError
 */
export async function isSnapshotReadable(
  ec2: EC2Client,
  ebs: EBSClient,
  snapshotId: string,
): Promise<boolean> {
  const snapshot = await findSnapshot(ec2, snapshotId);
  if (snapshot?.State === 'error') {
    throw new SnapshotFailedError(snapshotId, 'error', snapshot.StateMessage);
  }
  if (snapshot?.State !== 'completed') return false;
  try {
    await ebs.send(new ListSnapshotBlocksCommand({ SnapshotId: snapshotId, MaxResults: 100 }));
    return true;
  } catch (error) {
    if (isSnapshotNotFound(error)) return false;
    throw error;
  }
}

const byStart = (a: Snapshot, b: Snapshot): number =>
  (a.StartTime?.getTime() ?? 0) - (b.StartTime?.getTime() ?? 0);
