import { applyManifest } from '../../core/apply/apply-manifest';
import { DirectEngine } from '../../core/apply/direct-engine';
import { SNAPSHOT_BLOCK_BYTES } from '../../core/block-device/block-device';
import { OverlayBlockDevice } from '../../core/block-device/overlay-block-device';
import { capture, type CaptureRequest } from '../../core/capture/capture';
import { MemoryPackStore } from '../../core/chunk-store/memory-pack-store';
import { storeContents } from '../../core/chunk-store/store-contents';
import { predictFootprint } from '../../core/footprint/predict-footprint';
import type { Image } from '../../core/image/image';
import { openImage, openWritableImage } from '../../core/image/open-image';
import type { Manifest } from '../../core/manifest/manifest-schema';
import { parseManifest } from '../../core/manifest/parse-manifest';
import { serializeManifest } from '../../core/manifest/serialize-manifest';
import { matchImage, type MatchResult } from '../../core/match/match-image';
import type { Profile } from '../../core/profile/profile';
import { profileImage } from '../../core/profile/profile-image';
import type { Update } from '../../core/update/update';
import { FileBlockDevice } from '../../test/support/file-block-device';
import type { OnlineRun } from './online-updates';

/** A manifest as the steps hand it on, with the contents that it puts. */
export interface StoredManifest {
  readonly manifest: Manifest;
  readonly packs: MemoryPackStore;
  /** Instance on which the update was run. */
  readonly capturedOn: string;
}

const volumes = <D>(device: D) => [{ volumeId: 'vol-0', deviceName: '/dev/xvda', isRoot: true, device }];

async function withImages<T>(files: readonly string[], use: (images: Image[]) => Promise<T>): Promise<T> {
  const devices = await Promise.all(files.map((file) => FileBlockDevice.open(file)));
  try {
    return await use(await Promise.all(devices.map((device) => openImage(volumes(device)))));
  } finally {
    await Promise.all(devices.map((device) => device[Symbol.asyncDispose]()));
  }
}

export function profileOf(file: string, update: Update, instanceId: string): Promise<Profile> {
  return withImages([file], async ([image]) =>
    profileImage(image!, await predictFootprint(update, image!), instanceId),
  );
}

/** What was captured on one machine, with the run that it was captured from. */
export interface EarlierCapture {
  readonly run: OnlineRun;
  readonly stored: StoredManifest;
}

export interface CapturedRuns extends StoredManifest {
  readonly witnessUsed: boolean;
  readonly note?: string;
  /** What no machine of another class explains either; undefined when none was asked. */
  readonly unexplained?: readonly string[];
}

/** A check changes nothing: what it read is all that its manifest tells. */
export function captureRuns(
  update: Update,
  run: OnlineRun,
  others: { readonly witness?: OnlineRun | undefined; readonly earlier?: readonly EarlierCapture[] },
  memberPackages: ReadonlySet<string>,
): Promise<CapturedRuns> {
  const { witness, earlier = [] } = others;
  const after = ({ before, after }: OnlineRun): string => (update.kind === 'compliance' ? before : after);
  const runs = [run, ...(witness === undefined ? [] : [witness]), ...earlier.map((one) => one.run)];
  return withImages(
    runs.flatMap((one) => [one.before, after(one)]),
    async (images) => {
      const pairs = runs.map((_, index) => ({ before: images[2 * index]!, after: images[2 * index + 1]! }));
      const first = witness === undefined ? 1 : 2;
      const { instanceId } = run.machine;
      const request: CaptureRequest = {
        ...pairs[0]!,
        update,
        run: 'bench',
        classId: '0123456789ab',
        representative: { instanceId, kind: 'clone', snapshots: { before: [], after: [] } },
        capturedAt: new Date(),
        memberPackages,
        recording: run.recording,
        ...(witness === undefined ? {} : { witness: { ...pairs[1]!, summary: witness.recording } }),
        earlier: earlier.map(({ run: there, stored }, index) => ({
          instanceId: there.machine.instanceId,
          ...pairs[first + index]!,
          summary: there.recording,
          manifest: stored.manifest,
        })),
      };
      const captured = await capture(request);
      const packs = new MemoryPackStore();
      const index = await storeContents(captured.contents(), packs);
      const { bytes, digest } = serializeManifest({ ...captured.manifest, packs: index });
      const manifest = parseManifest(bytes, digest);
      const witnessUsed = captured.witness?.used ?? false;
      return {
        ...{ manifest, packs, capturedOn: instanceId, witnessUsed, note: captured.witness?.note },
        unexplained: captured.earlier?.unexplained,
      };
    },
  );
}

export function matchFile(file: string, { manifest, packs }: StoredManifest): Promise<MatchResult> {
  return withImages([file], ([image]) => matchImage(manifest, image!, { packs }));
}

/** Patches the image in its place. */
export async function patchFile(file: string, { manifest, packs }: StoredManifest): Promise<void> {
  await using volume = await FileBlockDevice.open(file, 'r+');
  const overlay = new OverlayBlockDevice(volume);
  const image = await openWritableImage(volumes(overlay));
  await applyManifest({ manifest, image, packs, engine: new DirectEngine() });
  for await (const { index, bytes } of overlay.changedBlocks()) {
    await volume.write(index * SNAPSHOT_BLOCK_BYTES, bytes);
  }
}
