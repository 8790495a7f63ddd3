import { parseManifest } from '../../core/manifest/parse-manifest';
import type { Manifest } from '../../core/manifest/manifest-schema';
import { matchImage } from '../../core/match/match-image';
import type { MatchDocument, SnapshotsDocument } from '../../core/workflow/documents';
import { matchKey, snapshotsKey } from '../../core/workflow/keys';
import type { MatchInstanceInput, MatchInstanceOutput, PatchItem } from '../../core/workflow/payloads';
import { UsageMeter } from '../ebs/usage-meter';
import { type DocumentStore, DocumentMissingError } from '../s3/document-store';
import type { Services } from '../services';
import { withImage } from './open-snapshots';
import { stepCost } from './step-cost';

/** @throws DocumentMissingError, ManifestDigestError, ManifestInvalidError, ManifestVersionError */
export async function readManifest(
  documents: DocumentStore,
  { manifestKey, manifestDigest }: Pick<PatchItem, 'manifestKey' | 'manifestDigest'>,
): Promise<Manifest> {
  const bytes = await documents.findBytes(manifestKey);
  if (bytes === undefined) throw new DocumentMissingError(documents.bucket, manifestKey);
  return parseManifest(bytes, manifestDigest);
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
    (image) => matchImage(manifest, image, { packs }),
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
