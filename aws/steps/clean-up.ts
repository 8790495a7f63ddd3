import { DeleteSnapshotCommand, type EC2Client } from '@aws-sdk/client-ec2';
import { TAGS } from '../../core/workflow/keys';
import type {
  CleanUpRunInput,
  CleanUpRunOutput,
  TerminateCloneInput,
  TerminateCloneOutput,
} from '../../core/workflow/payloads';
import { cloneTags, terminateClones } from '../ec2/clones';
import { findSnapshots } from '../ec2/describe';
import { tagFilters } from '../ec2/tags';
import { hasCode } from '../service-errors';
import type { Services } from '../services';

/** Terminates the clone of one member, whether or not it ever came up. */
export async function terminateClone(
  { ec2 }: Services,
  { run, classId, instanceId }: TerminateCloneInput,
): Promise<TerminateCloneOutput> {
  const { done } = await terminateClones(ec2, cloneTags(run, classId, instanceId));
  return { done };
}

/**
 * Removes what a run made only for itself: clones, their images, and all of its snapshots. Volumes made of a snapshot do
 * not need it any more, and the old volumes, which a roll back needs, are not touched.
 */
export async function cleanUpRun({ ec2 }: Services, { run }: CleanUpRunInput): Promise<CleanUpRunOutput> {
  const { clones, done: clonesGone } = await terminateClones(ec2, {
    [TAGS.run]: run,
    [TAGS.purpose]: 'clone',
  });
  let deleted = 0;
  let inUse = 0;
  for (const { SnapshotId } of await findSnapshots(ec2, [
    ...tagFilters({ [TAGS.run]: run }),
    MADE_BY_A_RUN,
  ])) {
    if (await deleteSnapshot(ec2, SnapshotId!)) deleted += 1;
    else inUse += 1;
  }
  return { done: clonesGone && inUse === 0, deletedSnapshots: deleted, terminatedClones: clones };
}

/**
 * The tag of a run alone does not tell a run's own snapshots: a backup that copies the tags of its volume carries it too.
 * No volume carries this one.
 */
export const MADE_BY_A_RUN = { Name: 'tag-key', Values: [TAGS.volume] };

/** False while it is in use, by an image that is just being deregistered. */
async function deleteSnapshot(ec2: EC2Client, snapshotId: string): Promise<boolean> {
  try {
    await ec2.send(new DeleteSnapshotCommand({ SnapshotId: snapshotId }));
    return true;
  } catch (error) {
    if (hasCode(error, 'InvalidSnapshot.NotFound')) return true;
    if (hasCode(error, 'InvalidSnapshot.InUse')) return false;
    throw error;
  }
}
