import { capture } from '../../core/capture/capture';
import { storeContents } from '../../core/chunk-store/store-contents';
import type { Manifest } from '../../core/manifest/manifest-schema';
import type {
  CaptureDocument,
  ClassDocument,
  PlanDocument,
  SnapshotsDocument,
} from '../../core/workflow/documents';
import { manifestFacts } from '../../core/workflow/manifest-facts';
import {
  captureKey,
  classKey,
  manifestKey,
  planKey,
  snapshotsKey,
  targetsKey,
} from '../../core/workflow/keys';
import type { CaptureUpdateInput, CaptureUpdateOutput, MachineItem } from '../../core/workflow/payloads';
import { UsageMeter } from '../ebs/usage-meter';
import { type DocumentStore, DocumentMissingError } from '../s3/document-store';
import type { Services } from '../services';
import { captureWitness } from './capture-witness';
import { findProfiles } from './find-profiles';
import { withImage } from './open-snapshots';
import { readRecording } from './recordings';
import { stepCost } from './step-cost';
import { dataPointsOf, idsOf, onlineKind, withWitness } from './witness';
import { writeManifest } from './write-manifest';

/** Turns the snapshots of the representative before and after the update into a manifest and packs in the bucket. */
export async function captureUpdate(
  services: Services,
  { run, classId, instanceId, witness }: CaptureUpdateInput,
): Promise<CaptureUpdateOutput> {
  const startedAt = services.now();
  const { documents, packs } = services;
  const [{ settings }, classDocument, before, snapshotsAfter, recording] = await Promise.all([
    documents.read<PlanDocument>(planKey(run)),
    documents.read<ClassDocument>(classKey(run, classId)),
    documents.read<SnapshotsDocument>(snapshotsKey(run, instanceId, 'before')),
    documents.find<SnapshotsDocument>(snapshotsKey(run, instanceId, 'after')),
    readRecording(documents, run, classId, instanceId),
  ]);
  // A check leaves nothing behind, and no second snapshot is made.
  const isCheck = settings.update.kind === 'compliance';
  const after = isCheck ? before : requireSnapshots(documents, run, instanceId, snapshotsAfter);
  const meter = new UsageMeter();
  const common = {
    update: settings.update,
    run,
    classId,
    capturedAt: startedAt,
    memberPackages: await packagesOfTargets(documents, run),
  };
  const { captured, packed, ofWitness } = await withImage(services, before.snapshots, meter, (imageBefore) =>
    withImage(services, after.snapshots, meter, (imageAfter) =>
      withWitness(services, { run, classId }, witness, meter, async (lent) => {
        const own = await capture({
          ...common,
          before: imageBefore,
          after: imageAfter,
          representative: {
            instanceId,
            kind: onlineKind(classDocument),
            snapshots: { before: idsOf(before), after: idsOf(after) },
          },
          recording,
          ...(lent === undefined ? {} : { witness: lent.images }),
        });
        return {
          captured: own,
          packed: await storeContents(own.contents(), packs),
          ofWitness:
            lent === undefined || own.witness?.used !== false
              ? undefined
              : await captureWitness(services, common, lent),
        };
      }),
    ),
  );
  const dataPoints = dataPointsOf(instanceId, classDocument, witness, captured.witness);
  const manifest = {
    ...(isCheck ? ofCheck(captured.manifest) : captured.manifest),
    packs: packed,
    dataPoints,
  };
  const written = await writeManifest(documents, manifestKey(run, classId), manifest);
  const document: CaptureDocument = {
    classId,
    instanceId,
    told: manifestFacts(manifest),
    ...written,
    operationCount: manifest.operations.length,
    operationsByKind: countByKind(manifest.operations),
    contentBytes: packed
      .flatMap(({ frames }) => frames.flatMap(({ chunks }) => chunks))
      .reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    leftOutPaths: manifest.leftOut.total,
    warnings: manifest.warnings,
    ...(ofWitness === undefined ? {} : { witnessManifest: ofWitness }),
    ...stepCost(startedAt, services.now(), meter),
  };
  await documents.write(captureKey(run, classId), document);
  return { ...written, operationCount: document.operationCount };
}

/** Of all targets: members of another class may turn out to match, and a later run meets them too. */
async function packagesOfTargets(documents: DocumentStore, run: string): Promise<ReadonlySet<string>> {
  const items = await documents.readLines<MachineItem>(targetsKey(run));
  const profiles = await findProfiles(
    documents,
    run,
    items.map(({ instanceId }) => instanceId),
  );
  return new Set(profiles.flatMap(({ profile }) => Object.keys(profile.packages)));
}

function countByKind(operations: readonly { readonly kind: string }[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { kind } of operations) counts[kind] = (counts[kind] ?? 0) + 1;
  return counts;
}

function requireSnapshots(
  documents: DocumentStore,
  run: string,
  instanceId: string,
  found: SnapshotsDocument | undefined,
): SnapshotsDocument {
  if (found !== undefined) return found;
  throw new DocumentMissingError(documents.bucket, snapshotsKey(run, instanceId, 'after'));
}

/** Without a whole recording it is not known what the result depends on, and it holds for this one machine. */
function ofCheck(manifest: Manifest): Manifest {
  if (manifest.reads !== undefined && manifest.recording?.whole === true) return manifest;
  const reason =
    'what the check read was not recorded whole, so its result holds for the representative only';
  return { ...manifest, onlyOnline: [...(manifest.onlyOnline ?? []), reason] };
}
