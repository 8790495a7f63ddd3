import { parseManifest } from '../../core/manifest/parse-manifest';
import type { Manifest } from '../../core/manifest/manifest-schema';
import type { PatchItem } from '../../core/workflow/payloads';
import { type DocumentStore, DocumentMissingError } from '../s3/document-store';

type Where = Pick<PatchItem, 'manifestKey' | 'manifestDigest'>;

/** @throws DocumentMissingError, ManifestDigestError, ManifestInvalidError, ManifestVersionError */
export async function readManifest(documents: DocumentStore, where: Where): Promise<Manifest> {
  const manifest = await findManifest(documents, where);
  if (manifest === undefined) throw new DocumentMissingError(documents.bucket, where.manifestKey);
  return manifest;
}

/**
 * Undefined when it is not there any more: the documents of a run expire.
 *
 * @throws ManifestDigestError, ManifestInvalidError, ManifestVersionError
 */
export async function findManifest(
  documents: DocumentStore,
  { manifestKey, manifestDigest }: Where,
): Promise<Manifest | undefined> {
  const bytes = await documents.findBytes(manifestKey);
  return bytes === undefined ? undefined : parseManifest(bytes, manifestDigest);
}
