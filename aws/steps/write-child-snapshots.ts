import type { PatchedSnapshot } from '../../core/workflow/documents';
import { TAGS } from '../../core/workflow/keys';
import { clientToken } from '../client-token';
import { findSnapshot } from '../ec2/describe';
import { isSnapshotReadable } from '../ec2/instance-snapshots';
import { SnapshotFailedError } from '../ebs/ebs-errors';
import { SnapshotWriter } from '../ebs/snapshot-writer';
import type { UsageMeter } from '../ebs/usage-meter';
import type { Services } from '../services';
import type { OverlaidVolume } from './open-snapshots';
import { OutOfTime, putChangedBlocks, readPutJournal } from './put-blocks';

/** A snapshot that was cancelled for its age or refused is begun anew under another token: this often. */
const GENERATIONS = 3;

export interface ChildSnapshotRequest {
  readonly run: string;
  readonly instanceId: string;
  readonly purpose: 'patched' | 'clone';
  readonly tags: Readonly<Record<string, string>>;
  readonly description: string;
  readonly journalKey: (volumeId: string) => string;
  readonly hasTime: () => boolean;
}

/**
 * Puts what changed on the volumes into children of their snapshots, one for each volume that changed. Whoever is called
 * again with the same request finds the snapshots begun and puts only what is missing. None is completed before all is
 * put: what another invocation works out anew need not be the same bytes (the kernel's are not), and a filesystem may
 * stand on several volumes.
 */
export async function putChildSnapshots(
  services: Services,
  volumes: readonly OverlaidVolume[],
  request: ChildSnapshotRequest,
  meter: UsageMeter,
): Promise<PatchedSnapshot[] | OutOfTime> {
  const put: PatchedSnapshot[] = [];
  for (const volume of volumes) {
    if (volume.device.dirtyBlocks().length === 0) continue;
    const base = volume.snapshot;
    const writer = await startUsable(services, volume, request, meter);
    const digests = await putChangedBlocks(
      volume.device,
      writer,
      services.documents,
      request.journalKey(base.volumeId),
      request.hasTime,
    );
    if (digests instanceof OutOfTime) return digests;
    put.push({
      ...base,
      baseSnapshotId: base.snapshotId,
      snapshotId: writer.snapshotId,
      putBlocks: digests.size,
    });
  }
  return put;
}

/** Says of each that all is put, by what its journal tells. Harmless when it was said already. */
export async function completeChildSnapshots(
  services: Services,
  snapshots: readonly PatchedSnapshot[],
  journalKey: ChildSnapshotRequest['journalKey'],
  meter: UsageMeter,
): Promise<void> {
  for (const { volumeId, snapshotId } of snapshots) {
    const digests = await readPutJournal(services.documents, journalKey(volumeId), snapshotId);
    await new SnapshotWriter(services.ebs, snapshotId, meter, services.pause).complete(digests);
  }
}

/** The pending (or already completed) snapshot of this request, of the first generation that has not failed. */
async function startUsable(
  services: Services,
  { snapshot }: OverlaidVolume,
  { run, instanceId, purpose, tags, description }: ChildSnapshotRequest,
  meter: UsageMeter,
): Promise<SnapshotWriter> {
  for (let generation = 1; ; generation += 1) {
    const writer = await SnapshotWriter.start(
      services.ebs,
      {
        parentSnapshotId: snapshot.snapshotId,
        sizeGib: snapshot.sizeGib,
        clientToken: clientToken(
          run,
          instanceId,
          purpose,
          tags[TAGS.classId] ?? '',
          snapshot.snapshotId,
          generation,
        ),
        description,
        tags: {
          ...tags,
          [TAGS.run]: run,
          [TAGS.instance]: instanceId,
          [TAGS.volume]: snapshot.volumeId,
          [TAGS.purpose]: purpose,
        },
      },
      meter,
      services.pause,
    );
    // A replayed token answers `pending` for ever, whatever became of the snapshot since.
    const found = await findSnapshot(services.ec2, writer.snapshotId);
    if (found?.State !== 'error') return writer;
    if (generation === GENERATIONS)
      throw new SnapshotFailedError(writer.snapshotId, 'error', found.StateMessage);
  }
}

/** @throws SnapshotFailedError */
export async function areReadable(
  { ec2, ebs }: Services,
  snapshots: readonly { readonly snapshotId: string }[],
): Promise<boolean> {
  const readable = await Promise.all(
    snapshots.map(({ snapshotId }) => isSnapshotReadable(ec2, ebs, snapshotId)),
  );
  return readable.every((one) => one);
}
