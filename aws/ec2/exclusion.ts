import type { Instance, Volume } from '@aws-sdk/client-ec2';
import { TAGS } from '../../core/workflow/keys';
import { tagsOf } from './tags';

interface Rule {
  readonly reason: string;
  applies(instance: Instance, volumes: readonly (Volume | undefined)[]): boolean;
}

/** Of the 50 that a volume may have, a new volume gets its run, instance and purpose, and out of use its successor and date. */
const MOST_TAGS = 45;

/** What is never patched, the plainest reason first. The report shows the reason. */
const RULES: readonly Rule[] = [
  {
    reason: 'it is a clone made by a run',
    applies: ({ Tags }) => tagsOf(Tags)[TAGS.purpose] === 'clone',
  },
  {
    reason: 'it is neither running nor stopped',
    applies: ({ State }) => State?.Name !== 'running' && State?.Name !== 'stopped',
  },
  {
    reason: 'its root is not an EBS volume, so it cannot be stopped nor its root be exchanged',
    applies: ({ RootDeviceType }) => RootDeviceType !== 'ebs',
  },
  {
    reason: 'it runs Windows; only Linux filesystems are read',
    applies: ({ Platform, PlatformDetails }) =>
      Platform?.toLowerCase() === 'windows' || /windows/i.test(PlatformDetails ?? ''),
  },
  {
    reason: 'it is managed by an AWS service, which does not let others exchange its volumes',
    applies: ({ Operator }) => Operator?.Managed === true,
  },
  {
    // A snapshot written through EBS direct may lose the code, and with it the right to start.
    reason: 'it carries a marketplace product code, which a patched volume could lose',
    applies: ({ ProductCodes }) => (ProductCodes ?? []).length > 0,
  },
  {
    reason: 'it is set up for hibernation, and its root may hold the memory of a sleeping machine',
    applies: ({ HibernationOptions }) => HibernationOptions?.Configured === true,
  },
  {
    reason: 'it is a Spot Instance, which EC2 may take away at any time',
    applies: ({ InstanceLifecycle }) => InstanceLifecycle === 'spot',
  },
  {
    reason: 'it is on an Outpost, whose local snapshots cannot be read block by block',
    applies: ({ OutpostArn }) => OutpostArn !== undefined,
  },
  {
    reason: 'no volume is attached at its root device name',
    applies: ({ BlockDeviceMappings, RootDeviceName }) =>
      !(BlockDeviceMappings ?? []).some(({ DeviceName }) => DeviceName === RootDeviceName),
  },
  {
    reason: 'more than one volume claims its root device name',
    applies: ({ BlockDeviceMappings, RootDeviceName }) =>
      (BlockDeviceMappings ?? []).filter(({ DeviceName }) => DeviceName === RootDeviceName).length > 1,
  },
  {
    reason: 'a volume of it is just being attached or detached',
    applies: ({ BlockDeviceMappings }, volumes) =>
      (BlockDeviceMappings ?? []).some(({ Ebs }) => Ebs !== undefined && Ebs.Status !== 'attached') ||
      volumes.some((volume) => volume === undefined || volume.State !== 'in-use'),
  },
  {
    reason: 'a volume of it is attached to several instances at once',
    applies: (_instance, volumes) => volumes.some((volume) => (volume?.Attachments ?? []).length > 1),
  },
  {
    reason: `a volume of it has so many tags (more than ${MOST_TAGS}) that those of a run do not fit`,
    applies: ({ State }, volumes) =>
      State?.Name === 'stopped' && volumes.some((one) => ownTags(one) > MOST_TAGS),
  },
];

/** Those that a new volume takes over: neither AWS's nor ours. */
const ownTags = (volume: Volume | undefined): number =>
  Object.keys(tagsOf(volume?.Tags)).filter((key) => !/^(aws|imageelves):/.test(key)).length;

/** Why an instance is left out of a run, or undefined when it is a target. */
export function exclusionReason(
  instance: Instance,
  volumes: ReadonlyMap<string, Volume>,
): string | undefined {
  const own = (instance.BlockDeviceMappings ?? []).flatMap(({ Ebs }) =>
    Ebs?.VolumeId === undefined ? [] : [volumes.get(Ebs.VolumeId)],
  );
  return RULES.find((rule) => rule.applies(instance, own))?.reason;
}
