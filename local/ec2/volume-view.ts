import type { Volume, VolumeAttachment, VolumeState } from '@aws-sdk/client-ec2';
import { ACCOUNT_ID, AVAILABILITY_ZONES, REGION } from '../state/account';
import type { LocalEc2State } from '../state/local-ec2-state';
import type { AttachmentRecord, Time, VolumeRecord } from '../state/resources';
import { toTagSet } from './tag-sets';

export type AttachmentState = 'attaching' | 'attached' | 'detaching';

/** The attachment as it stands now; undefined once it is detached. */
export function attachmentState(
  attachment: AttachmentRecord | undefined,
  now: Time,
): AttachmentState | undefined {
  if (!attachment) return undefined;
  if (attachment.detachedAt !== undefined) return attachment.detachedAt <= now ? undefined : 'detaching';
  return attachment.attachedAt <= now ? 'attached' : 'attaching';
}

export function volumeState(volume: VolumeRecord, now: Time): VolumeState {
  if (volume.deletedAt !== undefined) return 'deleting';
  if (volume.availableAt > now) return 'creating';
  return attachmentState(volume.attachment, now) ? 'in-use' : 'available';
}

/** A volume that can still be seen; those deleted a moment ago, or that vanished, are forgotten. */
export function findVolume(state: LocalEc2State, volumeId: string): VolumeRecord | undefined {
  const volume = state.volumes.get(volumeId);
  if (!volume) return undefined;
  const now = state.now();
  const gone = Math.min(volume.deletedAt ?? Infinity, volume.vanishesAt ?? Infinity) <= now;
  return gone ? undefined : volume;
}

export function visibleVolumes(state: LocalEc2State): VolumeRecord[] {
  return [...state.volumes.values()].filter((volume) => findVolume(state, volume.volumeId));
}

export function toVolume(volume: VolumeRecord, now: Time): Volume {
  return {
    VolumeId: volume.volumeId,
    VolumeArn: `arn:aws:ec2:${REGION}:${ACCOUNT_ID}:volume/${volume.volumeId}`,
    OwnerId: ACCOUNT_ID,
    Size: volume.sizeGiB,
    SnapshotId: volume.snapshotId,
    AvailabilityZone: volume.availabilityZone,
    AvailabilityZoneId: AVAILABILITY_ZONES[volume.availabilityZone],
    State: volumeState(volume, now),
    CreateTime: new Date(volume.createTime),
    Attachments: volume.deletedAt === undefined ? toAttachments(volume, now) : [],
    VolumeType: volume.volumeType as Volume['VolumeType'],
    Iops: volume.iops,
    Throughput: volume.throughput,
    Encrypted: volume.encrypted,
    KmsKeyId: volume.kmsKeyId,
    MultiAttachEnabled: false,
    Operator: { Managed: false },
    ...(Object.keys(volume.tags).length > 0 ? { Tags: toTagSet(volume.tags) } : {}),
  };
}

function toAttachments(volume: VolumeRecord, now: Time): VolumeAttachment[] {
  const State = attachmentState(volume.attachment, now);
  return volume.attachment && State ? [{ ...toAttachment(volume, volume.attachment), State }] : [];
}

export function toAttachment(volume: VolumeRecord, attachment: AttachmentRecord): VolumeAttachment {
  return {
    VolumeId: volume.volumeId,
    InstanceId: attachment.instanceId,
    Device: attachment.device,
    DeleteOnTermination: attachment.deleteOnTermination,
    AttachTime: new Date(attachment.attachTime),
    EbsCardIndex: 0,
  };
}
