import { chooseEngine, touchedMounts } from '../../core/apply/choose-engine';
import { OverlayBlockDevice } from '../../core/block-device/overlay-block-device';
import type { ImageVolume } from '../../core/image/image';
import { openWritableImage } from '../../core/image/open-image';
import type { Manifest } from '../../core/manifest/manifest-schema';
import { matchImage } from '../../core/match/match-image';
import type { MatchDocument, SnapshotsDocument } from '../../core/workflow/documents';
import { matchKey, snapshotsKey } from '../../core/workflow/keys';
import type { MatchInstanceInput, MatchInstanceOutput } from '../../core/workflow/payloads';
import { UsageMeter } from '../ebs/usage-meter';
import type { Services } from '../services';
import { withImage } from './open-snapshots';
import { readManifest } from './read-manifest';
import { stepCost } from './step-cost';

/**
 * Fails for a machine that no engine of this deployment may write: known before a member is chosen as the canary, and
 * before anything is begun. Only an overlay is written.
 */
async function assertWritable(
  { kernel }: Services,
  manifest: Manifest,
  volumes: readonly ImageVolume[],
): Promise<void> {
  const overlays = volumes.map((volume) => ({ ...volume, device: new OverlayBlockDevice(volume.device) }));
  const image = await openWritableImage(overlays, { kernel });
  try {
    const paths = manifest.operations.map(({ path }) => path);
    chooseEngine(touchedMounts(image.writableMounts, paths), kernel);
  } finally {
    await image.close();
  }
}

/** Compares one member, from its base snapshots, with what the manifest expects to find. Writes nothing to it. */
export async function matchInstance(
  services: Services,
  input: MatchInstanceInput,
): Promise<MatchInstanceOutput> {
  const startedAt = services.now();
  const { documents, packs } = services;
  const { run, instanceId, classId, manifestKey, manifestDigest } = input;
  const [manifest, { snapshots }] = await Promise.all([
    readManifest(documents, input),
    documents.read<SnapshotsDocument>(snapshotsKey(run, instanceId, 'base')),
  ]);
  const meter = new UsageMeter();
  const { matched, alreadyPatched, differences, differenceCount } = await withImage(
    services,
    snapshots,
    meter,
    async (image, volumes) => {
      const match = await matchImage(manifest, image, { packs });
      if (match.matched && !match.alreadyPatched) await assertWritable(services, manifest, volumes);
      return match;
    },
  );
  const document: MatchDocument = {
    instanceId,
    classId,
    matched,
    alreadyPatched,
    manifestKey,
    manifestDigest,
    differences,
    differenceCount,
    ...stepCost(startedAt, services.now(), meter),
  };
  await documents.write(matchKey(run, instanceId, classId), document);
  return { matched };
}
