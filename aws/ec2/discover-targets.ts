import type { EC2Client, Instance, Volume } from '@aws-sdk/client-ec2';
import type { ExcludedInstance, TargetDocument } from '../../core/workflow/documents';
import type { Targets } from '../../core/workflow/targets';
import { findInstances, findInstancesById, findVolumesById } from './describe';
import { exclusionReason } from './exclusion';
import { tagsOf } from './tags';
import { targetOf } from './target';

/** Patch Manager's two spellings of one tag key (the second is for instances with tags in instance metadata). */
const PATCH_GROUP_KEYS = ['Patch Group', 'PatchGroup'];

export interface DiscoveredFleet {
  readonly targets: readonly TargetDocument[];
  readonly excluded: readonly ExcludedInstance[];
}

/** Finds the instances that have all of the tags, and those named by id; leaves out, with a reason, what must not be patched. */
export async function discoverTargets(ec2: EC2Client, targets: Targets): Promise<DiscoveredFleet> {
  const found = new Map<string, Instance>();
  for (const filters of tagQueries(targets)) {
    for (const instance of await findInstances(ec2, filters)) found.set(instance.InstanceId!, instance);
  }
  for (const instance of await findInstancesById(ec2, targets.instanceIds ?? [])) {
    found.set(instance.InstanceId!, instance);
  }
  const volumes = await volumesOf(ec2, [...found.values()]);
  const result = { targets: [] as TargetDocument[], excluded: missing(targets, found) };
  for (const instance of [...found.values()].sort(byId)) {
    const reason = exclusionReason(instance, volumes);
    if (reason === undefined) result.targets.push(targetOf(instance, volumes));
    else result.excluded.push({ instanceId: instance.InstanceId!, name: nameOf(instance), reason });
  }
  return result;
}

/** One query, or two where a key has two spellings. */
function tagQueries({ tags }: Targets): { Name: string; Values: string[] }[][] {
  if (tags === undefined) return [];
  let queries: { Name: string; Values: string[] }[][] = [[]];
  for (const [key, value] of Object.entries(tags)) {
    const spellings = PATCH_GROUP_KEYS.includes(key) ? PATCH_GROUP_KEYS : [key];
    const values = Array.isArray(value) ? value : [value];
    queries = queries.flatMap((query) =>
      spellings.map((spelling) => [...query, { Name: `tag:${spelling}`, Values: values }]),
    );
  }
  return queries;
}

async function volumesOf(ec2: EC2Client, instances: readonly Instance[]): Promise<Map<string, Volume>> {
  const ids = instances.flatMap(({ BlockDeviceMappings }) =>
    (BlockDeviceMappings ?? []).flatMap(({ Ebs }) => (Ebs?.VolumeId === undefined ? [] : [Ebs.VolumeId])),
  );
  const volumes = await findVolumesById(ec2, [...new Set(ids)]);
  return new Map(volumes.map((volume) => [volume.VolumeId!, volume]));
}

function missing(targets: Targets, found: ReadonlyMap<string, Instance>): ExcludedInstance[] {
  return (targets.instanceIds ?? [])
    .filter((instanceId) => !found.has(instanceId))
    .map((instanceId) => ({ instanceId, name: '', reason: 'no such instance in this account and Region' }));
}

const nameOf = (instance: Instance): string => tagsOf(instance.Tags)['Name'] ?? '';
const byId = (a: Instance, b: Instance): number => (a.InstanceId! < b.InstanceId! ? -1 : 1);
