import {
  type RememberedManifest,
  rememberedManifest,
  updateDigest,
} from '../../core/memory/remembered-manifest';
import type { CaptureDocument, PlanDocument } from '../../core/workflow/documents';
import { captureKey, memoryKey, memoryPrefix, planKey } from '../../core/workflow/keys';
import type { RememberManifestInput, RememberManifestOutput } from '../../core/workflow/payloads';
import type { RunSettings } from '../../core/workflow/run-input';
import type { DocumentStore } from '../s3/document-store';
import type { Services } from '../services';
import { readManifest } from './read-manifest';

/** Of one update: more classes than this are not looked through, the newest come first. */
const MOST_READ = 200;

/** What earlier runs captured of this update, the newest first; nothing when a new capture is asked for. */
export async function rememberedManifests(
  documents: DocumentStore,
  { update, fresh }: RunSettings,
): Promise<RememberedManifest[]> {
  if (fresh) return [];
  const keys = (await documents.list(memoryPrefix(updateDigest(update)))).sort().reverse();
  const found = await Promise.all(
    keys.slice(0, MOST_READ).map((key) => documents.find<RememberedManifest>(key)),
  );
  return found.filter((one) => one !== undefined);
}

/**
 * Keeps what was captured for a class for later runs of the same update. Called when the canary is patched, or when there
 * was nothing to patch: what failed on a machine is not remembered.
 */
export async function rememberManifest(
  { documents }: Services,
  { run, classId }: RememberManifestInput,
): Promise<RememberManifestOutput> {
  const [{ settings }, capture] = await Promise.all([
    documents.read<PlanDocument>(planKey(run)),
    documents.read<CaptureDocument>(captureKey(run, classId)),
  ]);
  return { remembered: await remember(documents, settings, capture) };
}

async function remember(
  documents: DocumentStore,
  { update, dataPoints }: RunSettings,
  where: Pick<CaptureDocument, 'manifestKey' | 'manifestDigest'>,
): Promise<boolean> {
  const { manifestKey, manifestDigest } = where;
  const manifest = await readManifest(documents, { manifestKey, manifestDigest });
  const entry = rememberedManifest(manifest, { manifestKey, manifestDigest }, dataPoints);
  if (entry === undefined) return false;
  await documents.write(memoryKey(updateDigest(update), entry), entry);
  return true;
}
