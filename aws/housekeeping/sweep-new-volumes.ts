import type { Volume } from '@aws-sdk/client-ec2';
import type { ApplyDocument, LeftVolume, SwapDocument } from '../../core/workflow/documents';
import { applyKey, swapKey, TAGS } from '../../core/workflow/keys';
import { tagsOf } from '../ec2/tags';
import type { Services } from '../services';
import { deleteIdleVolume, holdingMachine, missedBy } from './delete-volume';
import { problemOf } from './housekeeping-errors';

export interface NewVolumesOfRun {
  readonly run: string;
  /** Ids by the machine that the volumes were made for. */
  readonly newVolumes: ReadonlyMap<string, readonly string[]>;
  readonly documented: boolean;
  readonly holder: string;
}

export interface SweptVolumes {
  readonly removed: string[];
  readonly left: LeftVolume[];
  readonly failed: { readonly volumeId: string; readonly problem: string }[];
}

/**
 * Deletes new volumes of a dead run that never came to their machine. The journal of a swap is written before a volume is
 * attached for the first time, so one that no journal names never was; it must also be made of the very snapshot that the
 * run wrote for that machine, for tags alone may be those of a restored backup.
 */
export async function sweepNewVolumes(
  services: Services,
  { run, newVolumes, documented, holder }: NewVolumesOfRun,
): Promise<SweptVolumes> {
  const swept: SweptVolumes = { removed: [], left: [], failed: [] };
  for (const [instanceId, volumeIds] of newVolumes) {
    if (!documented) {
      const why = `${run} has no documents in this bucket, so it is not known whether ${instanceId} needs it`;
      swept.left.push(...volumeIds.map((volumeId) => ({ volumeId, why })));
      continue;
    }
    const why = await holdingMachine(services, instanceId, holder, async () => {
      for (const volumeId of volumeIds) await sweepVolume(services, run, instanceId, volumeId, swept);
    });
    if (why !== undefined) swept.left.push(...volumeIds.map((volumeId) => ({ volumeId, why })));
  }
  return swept;
}

async function sweepVolume(
  services: Services,
  run: string,
  instanceId: string,
  volumeId: string,
  { removed, left, failed }: SweptVolumes,
): Promise<void> {
  try {
    const deletion = await deleteIdleVolume(services.ec2, volumeId, (volume) =>
      reasonToKeep(services, run, instanceId, volume),
    );
    if (deletion === 'deleted') removed.push(volumeId);
    else if (deletion !== 'gone') left.push({ volumeId, why: deletion.left });
  } catch (error) {
    failed.push({ volumeId, problem: problemOf(error) });
  }
}

async function reasonToKeep(
  { documents, ec2 }: Services,
  run: string,
  instanceId: string,
  { VolumeId, SnapshotId, Tags }: Volume,
): Promise<string | undefined> {
  const volumeId = VolumeId!;
  const tags = tagsOf(Tags);
  if (
    tags[TAGS.run] !== run ||
    tags[TAGS.instance] !== instanceId ||
    tags[TAGS.purpose] !== 'patched' ||
    TAGS.retainUntil in tags
  ) {
    return 'its tags were changed at the last moment';
  }
  const [journal, apply] = await Promise.all([
    documents.find<SwapDocument>(swapKey(run, instanceId)),
    documents.find<ApplyDocument>(applyKey(run, instanceId)),
  ]);
  if (journal?.swaps.some((swap) => [swap.oldVolumeId, swap.newVolumeId].includes(volumeId))) {
    return `a swap of ${instanceId} names it`;
  }
  const snapshot = apply?.snapshots.find(({ snapshotId }) => snapshotId === SnapshotId);
  if (snapshot === undefined) return `it is not made of a snapshot that ${run} wrote for ${instanceId}`;
  return missedBy(ec2, instanceId, snapshot.deviceName, volumeId);
}
