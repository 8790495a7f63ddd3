import type { ApplyEngine, ResolvedOperation } from '../core/apply/apply-engine';
import { DirectEngine } from '../core/apply/direct-engine';
import { KernelEngine } from '../core/apply/kernel-engine';
import { resolveOperations } from '../core/apply/resolve-operations';
import { SNAPSHOT_BLOCK_BYTES } from '../core/block-device/block-device';
import { CountingBlockReader } from '../core/block-device/counting-block-reader';
import { OverlayBlockDevice } from '../core/block-device/overlay-block-device';
import { PackedContents } from '../core/chunk-store/packed-contents';
import type { LinuxKernel } from '../core/filesystem/linux-kernel';
import { openWritableImage } from '../core/image/open-image';
import { codecFor } from '../core/records/registry';
import { FileBlockDevice } from '../test/support/file-block-device';
import { type CapturedUpdate, readsOf, volumeOf } from './our-steps';

/** What a manifest comes to on one member, as a tar is at hand before it is unpacked. */
export async function operationsFor(
  member: string,
  { manifest, packs }: CapturedUpdate,
): Promise<ResolvedOperation[]> {
  await using volume = await FileBlockDevice.open(member);
  const image = await openWritableImage(volumeOf(new OverlayBlockDevice(volume)));
  const contents = new PackedContents(packs, manifest.packs);
  const operations: ResolvedOperation[] = [];
  const request = { manifest, image, contents, alreadyDone: new Set<string>(), codecFor };
  for await (const operation of resolveOperations(request)) operations.push(operation);
  return operations;
}

/** An engine alone, as the others are: opens the volume, performs, puts the changed blocks, syncs. It compares nothing. */
export async function performOn(
  file: string,
  operations: readonly ResolvedOperation[],
  kernel?: LinuxKernel,
): Promise<Readonly<Record<string, number>>> {
  const engine: ApplyEngine = kernel === undefined ? new DirectEngine() : new KernelEngine(kernel);
  await using volume = await FileBlockDevice.open(file, 'r+');
  const reader = new CountingBlockReader(volume);
  const overlay = new OverlayBlockDevice(reader);
  const image = await openWritableImage(volumeOf(overlay));
  await engine.perform(image.writableMounts, inTurn(operations));
  for await (const { index, bytes } of overlay.changedBlocks()) {
    await volume.write(index * SNAPSHOT_BLOCK_BYTES, bytes);
  }
  await volume.sync();
  return readsOf(reader);
}

async function* inTurn<T>(items: readonly T[]): AsyncIterable<T> {
  yield* items;
}
