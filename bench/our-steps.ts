import { applyManifest } from '../core/apply/apply-manifest';
import { DirectEngine } from '../core/apply/direct-engine';
import { KernelEngine } from '../core/apply/kernel-engine';
import { type BlockDevice, type BlockReader, SNAPSHOT_BLOCK_BYTES } from '../core/block-device/block-device';
import { CountingBlockReader } from '../core/block-device/counting-block-reader';
import { OverlayBlockDevice } from '../core/block-device/overlay-block-device';
import { capture } from '../core/capture/capture';
import { MemoryPackStore } from '../core/chunk-store/memory-pack-store';
import { storeContents } from '../core/chunk-store/store-contents';
import { predictFootprint } from '../core/footprint/predict-footprint';
import type { LinuxKernel } from '../core/filesystem/linux-kernel';
import { openImage, openWritableImage } from '../core/image/open-image';
import type { Manifest } from '../core/manifest/manifest-schema';
import { parseManifest } from '../core/manifest/parse-manifest';
import { serializeManifest } from '../core/manifest/serialize-manifest';
import { matchImage } from '../core/match/match-image';
import { profileImage } from '../core/profile/profile-image';
import { codecFor } from '../core/records/registry';
import type { Update } from '../core/update/update';
import { FileBlockDevice } from '../test/support/file-block-device';
import type { Images } from './images';

const UPDATE: Update = { name: 'security', kind: 'packages', select: 'all' };

export interface CapturedUpdate {
  readonly manifest: Manifest;
  readonly packs: MemoryPackStore;
}

type Counts = Readonly<Record<string, number>>;

export function volumeOf<D extends BlockReader | BlockDevice>(device: D) {
  return [{ volumeId: 'vol-0', deviceName: '/dev/xvda', isRoot: true, device }];
}

export function readsOf(...readers: readonly CountingBlockReader[]): Counts {
  return {
    blocksRead: readers.reduce((sum, { blocksRead }) => sum + blocksRead, 0),
    blocksReadTwice: readers.reduce((sum, reader) => sum + reader.blocksReadMoreThanOnce().length, 0),
  };
}

/** From the two snapshots of the representative to the stored manifest and packs. */
export async function captureUpdate({ before, after }: Images): Promise<CapturedUpdate & { counts: Counts }> {
  await using beforeFile = await FileBlockDevice.open(before);
  await using afterFile = await FileBlockDevice.open(after);
  const [beforeReader, afterReader] = [
    new CountingBlockReader(beforeFile),
    new CountingBlockReader(afterFile),
  ];
  const captured = await capture({
    before: await openImage(volumeOf(beforeReader)),
    after: await openImage(volumeOf(afterReader)),
    update: UPDATE,
    run: 'bench',
    classId: '0123456789ab',
    representative: { instanceId: 'i-representative', kind: 'live', snapshots: { before: [], after: [] } },
    capturedAt: new Date(0),
  });
  const packs = new MemoryPackStore();
  const index = await storeContents(captured.contents(), packs);
  const { bytes, digest } = serializeManifest({ ...captured.manifest, packs: index });
  return { manifest: parseManifest(bytes, digest), packs, counts: readsOf(beforeReader, afterReader) };
}

/** Opens a volume for writing, applies the manifest, puts the changed blocks into the volume's file, and syncs it. */
export async function applyTo(
  file: string,
  { manifest, packs }: CapturedUpdate,
  kernel?: LinuxKernel,
): Promise<Counts> {
  await using volume = await FileBlockDevice.open(file, 'r+');
  const reader = new CountingBlockReader(volume);
  const overlay = new OverlayBlockDevice(reader);
  const image = await openWritableImage(volumeOf(overlay));
  const engine = kernel === undefined ? new DirectEngine() : new KernelEngine(kernel);
  const result = await applyManifest({ manifest, image, packs, engine, codecFor });
  let blocksPut = 0;
  for await (const { index, bytes } of overlay.changedBlocks()) {
    await volume.write(index * SNAPSHOT_BLOCK_BYTES, bytes);
    blocksPut += 1;
  }
  await volume.sync();
  return { blocksPut, contentBytes: result.contentBytes, ...readsOf(reader) };
}

export async function matchMember(file: string, { manifest, packs }: CapturedUpdate): Promise<Counts> {
  await using volume = await FileBlockDevice.open(file);
  const reader = new CountingBlockReader(volume);
  const { matched, differences } = await matchImage(manifest, await openImage(volumeOf(reader)), { packs });
  if (!matched) throw new Error(`the member does not match: ${JSON.stringify(differences.slice(0, 3))}`);
  return readsOf(reader);
}

export async function profileMember(file: string): Promise<Counts> {
  await using volume = await FileBlockDevice.open(file);
  const reader = new CountingBlockReader(volume);
  const image = await openImage(volumeOf(reader));
  await profileImage(image, predictFootprint(UPDATE, image), 'i-member');
  return readsOf(reader);
}
