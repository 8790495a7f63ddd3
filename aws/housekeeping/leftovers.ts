import { DescribeImagesCommand, type EC2Client, type Tag } from '@aws-sdk/client-ec2';
import type { SwapDocument } from '../../core/workflow/documents';
import { swapKey, TAGS } from '../../core/workflow/keys';
import { findInstances, findSnapshots, findVolumes } from '../ec2/describe';
import { tagFilters, tagsOf } from '../ec2/tags';
import type { Services } from '../services';
import { MADE_BY_A_RUN } from '../steps/clean-up';
import { isInstanceId } from './delete-volume';

/** What carries the tag of one run and is not in the fleet's use. */
export interface Leftovers {
  /** Clones, their images, and snapshots: whether there is any of what clean-up-run removes. */
  temporary: boolean;
  /** New volumes that no swap names, by the machine they were made for. */
  readonly newVolumes: Map<string, string[]>;
  /** Machines whose swap has not ended. */
  readonly unfinished: Set<string>;
  /** When the youngest of all this was made. */
  newestAt: number;
}

const OF_A_RUN = { Name: `tag:${TAGS.run}`, Values: ['?*'] };

/** Everything in the account that runs left, or that runs at work still need: by run. */
export async function findLeftovers(services: Services): Promise<Map<string, Leftovers>> {
  const { ec2 } = services;
  const runs = new Map<string, Leftovers>();
  const of = (tags: readonly Tag[] | undefined, madeAt: Date | string | undefined): Leftovers => {
    const run = tagsOf(tags as Tag[])[TAGS.run]!;
    const found = runs.get(run) ?? {
      temporary: false,
      newVolumes: new Map<string, string[]>(),
      unfinished: new Set<string>(),
      newestAt: 0,
    };
    runs.set(run, found);
    // What has no date may be young.
    found.newestAt = Math.max(found.newestAt, new Date(madeAt ?? Infinity).getTime() || Infinity);
    return found;
  };

  const clones = [...tagFilters({ [TAGS.purpose]: 'clone' }), OF_A_RUN];
  for (const { Tags, LaunchTime, State } of await findInstances(ec2, clones)) {
    if (State?.Name !== 'terminated') of(Tags, LaunchTime).temporary = true;
  }
  for (const { Tags, CreationDate } of await findImages(ec2, clones)) of(Tags, CreationDate).temporary = true;
  for (const { Tags, StartTime } of await findSnapshots(ec2, [MADE_BY_A_RUN, OF_A_RUN])) {
    of(Tags, StartTime).temporary = true;
  }
  await addVolumes(services, of);
  return runs;
}

async function findImages(ec2: EC2Client, Filters: { Name: string; Values: string[] }[]) {
  const answer = await ec2.send(new DescribeImagesCommand({ Owners: ['self'], Filters }));
  return answer.Images ?? [];
}

/** New volumes keep their tags in use: the journal of the swap tells those in use from those that never were. */
async function addVolumes(
  { ec2, documents }: Services,
  of: (tags: readonly Tag[] | undefined, madeAt: Date | undefined) => Leftovers,
): Promise<void> {
  const volumes = await findVolumes(ec2, [...tagFilters({ [TAGS.purpose]: 'patched' }), OF_A_RUN]);
  await Promise.all(
    volumes.map(async ({ VolumeId, Tags, CreateTime, State }) => {
      const tags = tagsOf(Tags);
      const instanceId = tags[TAGS.instance];
      // A volume with a retention was in use once, or its turn comes with prune-volumes.
      if (TAGS.retainUntil in tags || !isInstanceId(instanceId)) return;
      const journal = await documents.find<SwapDocument>(swapKey(tags[TAGS.run]!, instanceId));
      if (journal?.swaps.some((swap) => [swap.oldVolumeId, swap.newVolumeId].includes(VolumeId!))) {
        if (!journal.done) of(Tags, CreateTime).unfinished.add(instanceId);
      } else if (State === 'available') {
        const { newVolumes } = of(Tags, CreateTime);
        newVolumes.set(instanceId, [...(newVolumes.get(instanceId) ?? []), VolumeId!]);
      }
    }),
  );
}
