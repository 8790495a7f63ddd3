import { capture, type CaptureRequest } from '../../core/capture/capture';
import type { EarlierMachine } from '../../core/capture/earlier-machines';
import { storeContents } from '../../core/chunk-store/store-contents';
import type { CaptureDocument } from '../../core/workflow/documents';
import { witnessManifestKey } from '../../core/workflow/keys';
import type { Services } from '../services';
import type { LentWitness } from './witness';
import { writeManifest } from './write-manifest';

type Common = Pick<CaptureRequest, 'update' | 'run' | 'classId' | 'capturedAt' | 'memberPackages'> & {
  /** Of the representative. */
  readonly kind: 'live' | 'clone';
};

export interface CapturedWitness {
  readonly manifest?: NonNullable<CaptureDocument['witnessManifest']>;
  /** Why members like the witness need an online run all the same. */
  readonly warning?: string;
}

/**
 * What the update does to a witness that turned out to be of another class than its representative: it was run there
 * anyhow, and members like the witness need no online run any more. Unless it did there what the representative does not
 * explain: that may be chance, and is copied to nobody.
 *
 * @param other the representative, with what was captured of it
 */
export async function captureWitness(
  { documents, packs }: Services,
  { kind, ...common }: Common,
  { images, representative }: LentWitness,
  other: EarlierMachine,
): Promise<CapturedWitness> {
  const { before, after, summary } = images;
  const request = { ...common, before, after, recording: summary, representative, earlier: [other] };
  const captured = await capture(request);
  const [unexplained] = captured.earlier?.unexplained ?? [];
  if (unexplained !== undefined) {
    const { instanceId } = representative;
    return { warning: `${instanceId} is of another class, and no second machine told of ${unexplained}` };
  }
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
      {
        instanceId: other.instanceId,
        kind,
        role: 'earlier' as const,
        used: true,
      },
    ],
  };
  const key = witnessManifestKey(common.run, common.classId);
  return {
    manifest: {
      ...(await writeManifest(documents, key, manifest)),
      capturedAt: manifest.capturedAt,
      representative: representative.instanceId,
    },
  };
}
