import { BlockMap } from './block-map';
import { BLOCK_BYTES, BYTES_PER_GIB } from './block-storage';
import type { LocalEc2State } from './local-ec2-state';
import type { SnapshotRecord, VolumeRecord } from './resources';

/** The image that keeps a volume as it was at its last snapshot: what was written since is told against it. */
const baseOf = (volumeId: string): string => `${volumeId}.base`;

/** Copies a volume's bytes into a snapshot, at this moment, and notes which blocks it wrote since the one before. */
export async function takeSnapshot(
  state: LocalEc2State,
  volume: VolumeRecord,
  snapshot: SnapshotRecord,
): Promise<void> {
  await state.lock.run(volume.volumeId, async () => {
    const { storage } = state;
    const sizeBytes = volume.sizeGiB * BYTES_PER_GIB;
    const base = baseOf(volume.volumeId);
    await storage.clone(volume.volumeId, snapshot.snapshotId, sizeBytes);
    const written = await storage.writtenSince(
      snapshot.snapshotId,
      (await storage.has(base)) ? base : undefined,
    );
    const map = (await state.blockMap(volume.volumeId)).copy();
    for (const index of written) map.set(index, snapshot.snapshotId);
    await storage.clone(snapshot.snapshotId, base, sizeBytes);
    await state.putBlockMap(volume.volumeId, map);
    await state.putBlockMap(snapshot.snapshotId, map.copy());
    snapshot.fullSizeBytes = map.size * BLOCK_BYTES;
  });
}

/** Fills a new volume from a snapshot, or with nothing. */
export async function fillVolume(state: LocalEc2State, volume: VolumeRecord): Promise<void> {
  const sizeBytes = volume.sizeGiB * BYTES_PER_GIB;
  if (volume.snapshotId === '') {
    await state.storage.create(volume.volumeId, sizeBytes);
    return;
  }
  await state.storage.clone(volume.snapshotId, volume.volumeId, sizeBytes);
  await state.storage.clone(volume.snapshotId, baseOf(volume.volumeId), sizeBytes);
  await state.putBlockMap(volume.volumeId, (await state.blockMap(volume.snapshotId)).copy());
}

export async function removeVolumeBytes(state: LocalEc2State, volumeId: string): Promise<void> {
  await state.lock.run(volumeId, async () => {
    await state.storage.remove(volumeId);
    await state.storage.remove(baseOf(volumeId));
    await state.removeBlockMap(volumeId);
  });
}

/** Makes the bytes that StartSnapshot writes onto: the parent's, or none. */
export async function startUpload(
  state: LocalEc2State,
  snapshot: SnapshotRecord,
  parentSnapshotId: string | undefined,
): Promise<void> {
  const sizeBytes = snapshot.sizeGiB * BYTES_PER_GIB;
  if (parentSnapshotId === undefined) {
    await state.storage.create(snapshot.snapshotId, sizeBytes);
    await state.putBlockMap(snapshot.snapshotId, BlockMap.empty());
    return;
  }
  await state.storage.clone(parentSnapshotId, snapshot.snapshotId, sizeBytes);
  await state.putBlockMap(snapshot.snapshotId, (await state.blockMap(parentSnapshotId)).copy());
}

/** Copies a snapshot with its blocks' history, as CopySnapshot does. */
export async function copySnapshotBytes(
  state: LocalEc2State,
  source: SnapshotRecord,
  target: SnapshotRecord,
): Promise<void> {
  await state.storage.clone(source.snapshotId, target.snapshotId, target.sizeGiB * BYTES_PER_GIB);
  await state.putBlockMap(target.snapshotId, (await state.blockMap(source.snapshotId)).copy());
  target.fullSizeBytes = source.fullSizeBytes;
}

export async function removeSnapshotBytes(state: LocalEc2State, snapshotId: string): Promise<void> {
  await state.storage.remove(snapshotId);
  await state.removeBlockMap(snapshotId);
}
