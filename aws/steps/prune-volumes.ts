import { DeleteTagsCommand, type Volume } from '@aws-sdk/client-ec2';
import pLimit from 'p-limit';
import type { LeftVolume, PruneDocument, SwapDocument } from '../../core/workflow/documents';
import { pruneKey, swapKey, TAGS } from '../../core/workflow/keys';
import type { PruneVolumesInput, PruneVolumesOutput } from '../../core/workflow/payloads';
import { findVolumes } from '../ec2/describe';
import { tagsOf } from '../ec2/tags';
import {
  deleteIdleVolume,
  holdingMachine,
  housekeepingHolder,
  isInstanceId,
  missedBy,
} from '../housekeeping/delete-volume';
import { problemOf, PruneFailedError } from '../housekeeping/housekeeping-errors';
import { retentionOf } from '../housekeeping/retention';
import type { Services } from '../services';

/** Machines whose volumes are looked at, at the same time: EC2 answers some 20 calls a second in an account. */
const CONCURRENT_MACHINES = 5;

/** What is found of the volumes, as it goes into the document. */
interface Findings {
  readonly removed: PruneDocument['removed'][number][];
  readonly left: LeftVolume[];
  readonly failed: PruneDocument['failed'][number][];
}

/**
 * Deletes the volumes that a swap put out of use and whose `retain-until` has passed. A volume is deleted only when all of
 * this holds at the last moment: its tags say so, the journal of the swap names it as the one out of use, the swap has
 * ended, its machine holds another volume or is gone, nobody is working on the machine, and the volume is available.
 * Tags alone say too little: a volume restored from a backup carries those of the volume it was made of.
 *
 * @throws PruneFailedError at the end, naming every volume that could not be deleted
 */
export async function pruneVolumes(
  services: Services,
  { execution }: PruneVolumesInput,
  hasTime: () => boolean,
): Promise<PruneVolumesOutput> {
  const { documents, ec2, now } = services;
  const documentKey = pruneKey(execution);
  const earlier = await documents.find<PruneDocument>(documentKey);
  const startedAt = earlier?.startedAt ?? now().toISOString();
  const findings: Findings = { removed: [...(earlier?.removed ?? [])], left: [], failed: [] };

  const kept = await findVolumes(ec2, [
    { Name: 'tag-key', Values: [TAGS.retainUntil] },
    { Name: `tag:${TAGS.run}`, Values: ['?*'] },
  ]);
  const { due, notDue } = sorted(kept, findings, now());
  const limit = pLimit(CONCURRENT_MACHINES);
  let done = true;
  await Promise.all(
    [...due].map(([instanceId, volumes]) =>
      limit(async () => {
        if (!hasTime()) done = false;
        else await pruneMachine(services, instanceId, volumes, housekeepingHolder(execution.name), findings);
      }),
    ),
  );

  const document: PruneDocument = { startedAt, endedAt: now().toISOString(), notDue, ...findings };
  await documents.write(documentKey, document);
  if (findings.failed.length > 0) throw new PruneFailedError(findings.failed, documentKey);
  return { done, documentKey, removed: findings.removed.length, notDue, left: findings.left.length };
}

/** Those to be looked at, by machine; the others are counted, or left with the reason that their tags tell. */
function sorted(
  volumes: readonly Volume[],
  { left }: Findings,
  now: Date,
): { due: Map<string, string[]>; notDue: number } {
  const due = new Map<string, string[]>();
  let notDue = 0;
  for (const volume of volumes) {
    const tags = tagsOf(volume.Tags);
    const retention = retentionOf(tags, now);
    const instanceId = tags[TAGS.instance];
    // What is attached is in use again, whether or not its time has come.
    if (retention === 'later' && volume.State !== 'in-use') notDue += 1;
    else if (typeof retention === 'object') left.push({ volumeId: volume.VolumeId!, why: retention.why });
    else if (!isInstanceId(instanceId)) {
      left.push({ volumeId: volume.VolumeId!, why: `its tag ${TAGS.instance} names no instance` });
    } else due.set(instanceId, [...(due.get(instanceId) ?? []), volume.VolumeId!]);
  }
  return { due, notDue };
}

async function pruneMachine(
  services: Services,
  instanceId: string,
  volumeIds: readonly string[],
  holder: string,
  { removed, left, failed }: Findings,
): Promise<void> {
  const open = new Set(volumeIds);
  try {
    const why = await holdingMachine(services, instanceId, holder, async () => {
      for (const volumeId of volumeIds) {
        open.delete(volumeId);
        try {
          const pruned = await pruneVolume(services, instanceId, volumeId);
          if (pruned === undefined) continue;
          if ('left' in pruned) left.push({ volumeId, why: pruned.left });
          else removed.push(pruned);
        } catch (error) {
          failed.push({ volumeId, problem: problemOf(error) });
        }
      }
    });
    if (why !== undefined) left.push(...volumeIds.map((volumeId) => ({ volumeId, why })));
  } catch (error) {
    // The lease could not be taken, or (nothing is open then) not released.
    const problem = `lease of ${instanceId}: ${problemOf(error)}`;
    const volumes = open.size > 0 ? [...open] : volumeIds.slice(-1);
    failed.push(...volumes.map((volumeId) => ({ volumeId, problem })));
  }
}

/** Undefined when somebody else has deleted it. */
async function pruneVolume(
  services: Services,
  instanceId: string,
  volumeId: string,
): Promise<PruneDocument['removed'][number] | { readonly left: string } | undefined> {
  let seen: Volume | undefined;
  const deletion = await deleteIdleVolume(services.ec2, volumeId, (volume) => {
    seen = volume;
    return volume.State === 'in-use'
      ? takeIntoUse(services, volumeId)
      : reasonToKeep(services, instanceId, volume);
  });
  if (deletion === 'gone') return undefined;
  if (deletion !== 'deleted') return deletion;
  const tags = tagsOf(seen?.Tags);
  return {
    volumeId,
    run: tags[TAGS.run]!,
    instanceId,
    sizeGib: seen?.Size ?? 0,
    retainUntil: tags[TAGS.retainUntil]!,
  };
}

/**
 * A volume that somebody attached again is no old volume: without these tags it is not deleted either when it is taken off
 * for a moment, some day. A roll back takes them off by itself.
 */
async function takeIntoUse({ ec2 }: Services, volumeId: string): Promise<string> {
  const Tags = [{ Key: TAGS.replacedBy }, { Key: TAGS.retainUntil }];
  await ec2.send(new DeleteTagsCommand({ Resources: [volumeId], Tags }));
  return 'it is attached, so it is in use again: its retention was taken off';
}

async function reasonToKeep(
  { documents, ec2, now }: Services,
  instanceId: string,
  { VolumeId, Tags }: Volume,
): Promise<string | undefined> {
  const volumeId = VolumeId!;
  const tags = tagsOf(Tags);
  const run = tags[TAGS.run];
  const retention = retentionOf(tags, now());
  if (run === undefined || retention !== 'ended' || tags[TAGS.instance] !== instanceId) {
    return 'its tags were changed at the last moment';
  }
  const journal = await documents.find<SwapDocument>(swapKey(run, instanceId));
  const swap = journal?.swaps.find((one) => [one.oldVolumeId, one.newVolumeId].includes(volumeId));
  if (journal === undefined || swap === undefined) {
    return `no swap of ${instanceId} by ${run} in this bucket names it, so it is not known whose it is`;
  }
  if (!journal.done) {
    return `the swap of ${instanceId} has not ended; start roll-back-run with ${JSON.stringify({ run, instanceIds: [instanceId] })}`;
  }
  const used = journal.direction === 'forward' ? swap.newVolumeId : swap.oldVolumeId;
  if (used === volumeId) return `it is what ${instanceId} is to have at ${swap.deviceName}`;
  return missedBy(ec2, instanceId, swap.deviceName, volumeId);
}
