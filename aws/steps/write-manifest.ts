import type { Manifest } from '../../core/manifest/manifest-schema';
import { serializeManifest } from '../../core/manifest/serialize-manifest';
import type { DocumentStore } from '../s3/document-store';

/** Writes a manifest, and gives what every later step finds it by. */
export async function writeManifest(
  documents: DocumentStore,
  key: string,
  manifest: Manifest,
): Promise<{ readonly manifestKey: string; readonly manifestDigest: string }> {
  const { bytes, digest } = serializeManifest(manifest);
  await documents.writeText(key, bytes, 'application/json');
  return { manifestKey: key, manifestDigest: digest };
}
