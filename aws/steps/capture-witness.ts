import { capture, type CaptureRequest } from '../../core/capture/capture';
import { storeContents } from '../../core/chunk-store/store-contents';
import type { CaptureDocument } from '../../core/workflow/documents';
import { witnessManifestKey } from '../../core/workflow/keys';
import type { Services } from '../services';
import type { LentWitness } from './witness';
import { writeManifest } from './write-manifest';

/**
 * What the update does to a witness that turned out to be of another class than its representative: it was run there
 * anyhow, and members like the witness need no online run any more.
 */
export async function captureWitness(
  { documents, packs }: Services,
  common: Pick<CaptureRequest, 'update' | 'run' | 'classId' | 'capturedAt' | 'memberPackages'>,
  { images, representative }: LentWitness,
): Promise<NonNullable<CaptureDocument['witnessManifest']>> {
  const { before, after, summary } = images;
  const captured = await capture({ ...common, before, after, recording: summary, representative });
  const manifest = {
    ...captured.manifest,
    packs: await storeContents(captured.contents(), packs),
    dataPoints: [
      {
        instanceId: representative.instanceId,
        kind: representative.kind,
        role: 'representative' as const,
        used: true,
      },
    ],
  };
  const key = witnessManifestKey(common.run, common.classId);
  return {
    ...(await writeManifest(documents, key, manifest)),
    capturedAt: manifest.capturedAt,
    representative: representative.instanceId,
  };
}
