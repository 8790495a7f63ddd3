import {
  DescribeInstancesCommand,
  DescribeVolumesCommand,
  type EC2Client,
  type Filter,
  type Instance,
  type Snapshot,
  type Volume,
  paginateDescribeInstances,
  paginateDescribeSnapshots,
  paginateDescribeVolumes,
} from '@aws-sdk/client-ec2';
import { ImageElvesError } from '../../core/errors';
import { hasCode } from '../service-errors';
import { type Tags, tagFilters } from './tags';

/** Ids in one filter: EC2 takes 200 values. */
const FILTER_VALUES = 200;

export class InstanceMissingError extends ImageElvesError {
  override readonly name = 'InstanceMissingError';

  constructor(instanceId: string) {
    super(`There is no instance ${instanceId} any more.`, { instanceId });
  }
}

/** Every instance that the filters match, page by page. */
export async function findInstances(ec2: EC2Client, filters: Filter[]): Promise<Instance[]> {
  const found: Instance[] = [];
  for await (const page of paginateDescribeInstances({ client: ec2, pageSize: 500 }, { Filters: filters })) {
    for (const reservation of page.Reservations ?? []) found.push(...(reservation.Instances ?? []));
  }
  return found;
}

/** By filter, not by id: an id that does not exist fails a call that names it, and hides all others. */
export async function findInstancesById(ec2: EC2Client, ids: readonly string[]): Promise<Instance[]> {
  const found: Instance[] = [];
  for (let from = 0; from < ids.length; from += FILTER_VALUES) {
    const values = ids.slice(from, from + FILTER_VALUES);
    found.push(...(await findInstances(ec2, [{ Name: 'instance-id', Values: values }])));
  }
  return found;
}

/** @throws InstanceMissingError */
export async function describeInstance(ec2: EC2Client, instanceId: string): Promise<Instance> {
  const instance = await findInstance(ec2, instanceId);
  if (instance === undefined) throw new InstanceMissingError(instanceId);
  return instance;
}

/** Undefined when it does not exist, or not yet by this read. */
export async function findInstance(ec2: EC2Client, instanceId: string): Promise<Instance | undefined> {
  try {
    const answer = await ec2.send(new DescribeInstancesCommand({ InstanceIds: [instanceId] }));
    return answer.Reservations?.[0]?.Instances?.[0];
  } catch (error) {
    if (hasCode(error, 'InvalidInstanceID.NotFound')) return undefined;
    throw error;
  }
}

export async function findVolumesById(ec2: EC2Client, ids: readonly string[]): Promise<Volume[]> {
  const found: Volume[] = [];
  for (let from = 0; from < ids.length; from += FILTER_VALUES) {
    const values = ids.slice(from, from + FILTER_VALUES);
    found.push(...(await findVolumes(ec2, [{ Name: 'volume-id', Values: values }])));
  }
  return found;
}

/** Every volume that the filters match, page by page. */
export async function findVolumes(ec2: EC2Client, filters: Filter[]): Promise<Volume[]> {
  const found: Volume[] = [];
  const pages = paginateDescribeVolumes({ client: ec2, pageSize: 500 }, { Filters: filters });
  for await (const page of pages) found.push(...(page.Volumes ?? []));
  return found;
}

/** Undefined when it does not exist, or not yet by this read: EC2's reads can lag behind its writes. */
export async function findVolume(ec2: EC2Client, volumeId: string): Promise<Volume | undefined> {
  try {
    const answer = await ec2.send(new DescribeVolumesCommand({ VolumeIds: [volumeId] }));
    return answer.Volumes?.[0];
  } catch (error) {
    if (hasCode(error, 'InvalidVolume.NotFound')) return undefined;
    throw error;
  }
}

/** The account's own snapshots that carry all of these tags. */
export async function findSnapshotsByTags(ec2: EC2Client, tags: Tags): Promise<Snapshot[]> {
  return findSnapshots(ec2, tagFilters(tags));
}

export async function findSnapshot(ec2: EC2Client, snapshotId: string): Promise<Snapshot | undefined> {
  return (await findSnapshots(ec2, [{ Name: 'snapshot-id', Values: [snapshotId] }]))[0];
}

/** The account's own snapshots that the filters match, page by page. */
export async function findSnapshots(ec2: EC2Client, filters: Filter[]): Promise<Snapshot[]> {
  const found: Snapshot[] = [];
  const pages = paginateDescribeSnapshots(
    { client: ec2, pageSize: 500 },
    { OwnerIds: ['self'], Filters: filters },
  );
  for await (const page of pages) found.push(...(page.Snapshots ?? []));
  return found;
}
