import { type Capture, capture } from '../../core/capture/capture';
import type { PackIndex } from '../../core/chunk-store/chunk-store';
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
import { type CapturedWitness, captureWitness } from './capture-witness';
import {
  earlierDataPoints,
  type EarlierRepresentative,
  earlierRepresentatives,
  withEarlier,
} from './earlier-machines';
import { findProfiles } from './find-profiles';
import { withImage } from './open-snapshots';
import { readRecording } from './recordings';
import { stepCost } from './step-cost';
import { dataPointsOf, idsOf, onlineKind, withWitness } from './witness';
import { writeManifest } from './write-manifest';

interface Captured {
  readonly captured: Capture;
  readonly packed: PackIndex[];
  readonly ofWitness?: CapturedWitness;
}

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
  const kind = onlineKind(classDocument);
  const captureWith = (machines: readonly EarlierRepresentative[]): Promise<Captured> =>
    withImage(services, before.snapshots, meter, (imageBefore) =>
      withImage(services, after.snapshots, meter, (imageAfter) =>
        withWitness(services, { run, classId }, witness, meter, (lent) =>
          withEarlier(services, run, machines, meter, async (earlier) => {
            const captured = await capture({
              ...common,
              before: imageBefore,
              after: imageAfter,
              representative: {
                instanceId,
                kind,
                snapshots: { before: idsOf(before), after: idsOf(after) },
              },
              recording,
              ...(lent === undefined ? {} : { witness: lent.images }),
              earlier,
            });
            const packed = await storeContents(captured.contents(), packs);
            if (lent === undefined || captured.witness?.used !== false) return { captured, packed };
            const own = {
              ...{ instanceId, before: imageBefore, after: imageAfter, summary: recording },
              manifest: captured.manifest,
            };
            const ofWitness = await captureWitness(services, { ...common, kind }, lent, own);
            return { captured, packed, ofWitness };
          }),
        ),
      ),
    );
  const wasAsked = witness !== undefined && witness.error === null;
  const earlier = isCheck || wasAsked ? [] : await earlierRepresentatives(documents, classDocument);
  const { captured, packed, ofWitness, unread } = await withoutUnreadable(captureWith, earlier);
  const dataPoints = [
    ...dataPointsOf(instanceId, classDocument, witness, captured.witness),
    ...earlierDataPoints(earlier, captured.earlier, unread),
  ];
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
    warnings: [...manifest.warnings, ...(ofWitness?.warning === undefined ? [] : [ofWitness.warning])],
    ...(ofWitness?.manifest === undefined ? {} : { witnessManifest: ofWitness.manifest }),
    ...stepCost(startedAt, services.now(), meter),
  };
  await documents.write(captureKey(run, classId), document);
  const isKept = classDocument.witness?.onlyIfNeeded === true && witness === undefined;
  const witnessNeeded = isKept && captured.earlier?.unexplained.length !== 0;
  return { ...written, operationCount: document.operationCount, witnessNeeded };
}

/** Machines of other classes only spare a witness: when their images cannot be read, the class goes on without them. */
async function withoutUnreadable(
  captureWith: (earlier: readonly EarlierRepresentative[]) => Promise<Captured>,
  earlier: readonly EarlierRepresentative[],
): Promise<Captured & { readonly unread?: Error }> {
  try {
    return await captureWith(earlier);
  } catch (error) {
    if (earlier.length === 0 || !(error instanceof Error)) throw error;
    return { ...(await captureWith([])), unread: error };
  }
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
