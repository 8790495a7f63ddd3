import { capture } from '../../core/capture/capture';
import { storeContents } from '../../core/chunk-store/store-contents';
import { serializeManifest } from '../../core/manifest/serialize-manifest';
import type {
  CaptureDocument,
  ClassDocument,
  PlanDocument,
  SnapshotsDocument,
} from '../../core/workflow/documents';
import { manifestFacts } from '../../core/workflow/manifest-facts';
import { captureKey, classKey, manifestKey, planKey, snapshotsKey } from '../../core/workflow/keys';
import type { CaptureUpdateInput, CaptureUpdateOutput, MemberItem } from '../../core/workflow/payloads';
import { UsageMeter } from '../ebs/usage-meter';
import type { DocumentStore } from '../s3/document-store';
import type { Services } from '../services';
import { readProfiles } from './classify-targets';
import { withImage } from './open-snapshots';
import { readRecording } from './recordings';
import { dataPointsOf, onlineKind, withWitness } from './witness';
import { stepCost } from './step-cost';

/** Turns the snapshots of the representative before and after the update into a manifest and packs in the bucket. */
export async function captureUpdate(
  services: Services,
  { run, classId, instanceId, witness }: CaptureUpdateInput,
): Promise<CaptureUpdateOutput> {
  const startedAt = services.now();
  const { documents, packs } = services;
  const [{ settings }, classDocument, before, after, recording] = await Promise.all([
    documents.read<PlanDocument>(planKey(run)),
    documents.read<ClassDocument>(classKey(run, classId)),
    documents.read<SnapshotsDocument>(snapshotsKey(run, instanceId, 'before')),
    documents.read<SnapshotsDocument>(snapshotsKey(run, instanceId, 'after')),
    readRecording(documents, run, classId, instanceId),
  ]);
  const meter = new UsageMeter();
  const memberPackages = await packagesOfMembers(documents, classDocument);
  const { manifest, index } = await withImage(services, before.snapshots, meter, (imageBefore) =>
    withImage(services, after.snapshots, meter, (imageAfter) =>
      withWitness(services, { run, classId }, witness, meter, async (witnessImages) => {
        const captured = await capture({
          before: imageBefore,
          after: imageAfter,
          update: settings.update,
          run,
          classId,
          representative: {
            instanceId,
            kind: onlineKind(classDocument),
            snapshots: { before: idsOf(before), after: idsOf(after) },
          },
          capturedAt: startedAt,
          memberPackages,
          recording,
          ...(witnessImages === undefined ? {} : { witness: witnessImages }),
        });
        const packed = await storeContents(captured.contents(), packs);
        const dataPoints = dataPointsOf(instanceId, classDocument, witness, captured.witness);
        return { manifest: { ...captured.manifest, packs: packed, dataPoints }, index: packed };
      }),
    ),
  );
  const { bytes, digest } = serializeManifest(manifest);
  const key = manifestKey(run, classId);
  await documents.writeText(key, bytes, 'application/json');
  const document: CaptureDocument = {
    classId,
    instanceId,
    told: manifestFacts(manifest),
    manifestKey: key,
    manifestDigest: digest,
    operationCount: manifest.operations.length,
    operationsByKind: countByKind(manifest.operations),
    contentBytes: index
      .flatMap(({ frames }) => frames.flatMap(({ chunks }) => chunks))
      .reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    leftOutPaths: manifest.leftOut.total,
    warnings: manifest.warnings,
    ...stepCost(startedAt, services.now(), meter),
  };
  await documents.write(captureKey(run, classId), document);
  return { manifestKey: key, manifestDigest: digest, operationCount: document.operationCount };
}

const idsOf = ({ snapshots }: SnapshotsDocument): string[] => snapshots.map(({ snapshotId }) => snapshotId);

async function packagesOfMembers(
  documents: DocumentStore,
  { run, membersKey }: ClassDocument,
): Promise<ReadonlySet<string>> {
  const members = await documents.readLines<MemberItem>(membersKey);
  const profiles = await readProfiles(
    documents,
    run,
    members.map(({ instanceId }) => instanceId),
  );
  return new Set(profiles.flatMap(({ packages }) => Object.keys(packages)));
}

function countByKind(operations: readonly { readonly kind: string }[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { kind } of operations) counts[kind] = (counts[kind] ?? 0) + 1;
  return counts;
}
