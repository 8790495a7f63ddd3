import type { EarlierAnswer, EarlierMachine } from '../../core/capture/earlier-machines';
import type { Manifest } from '../../core/manifest/manifest-schema';
import type {
  CaptureDocument,
  ClassDocument,
  RoundDocument,
  SnapshotsDocument,
} from '../../core/workflow/documents';
import { captureKey, classKey, roundKey, snapshotsKey } from '../../core/workflow/keys';
import type { UsageMeter } from '../ebs/usage-meter';
import type { DocumentStore } from '../s3/document-store';
import type { Services } from '../services';
import { withImage } from './open-snapshots';
import { readManifest } from './read-manifest';
import { readRecording } from './recordings';
import { onlineKind } from './witness';

/** Each costs the reads of a witness. */
const MAX_EARLIER = 3;
/** Classes of the same round that are looked at; the largest stand first. */
const MAX_SIBLINGS = 8;

const NOTE_LENGTH = 1000;

type DataPoint = NonNullable<Manifest['dataPoints']>[number];

/** A representative of another class of the run, with all that was captured of it. */
export interface EarlierRepresentative {
  readonly capture: CaptureDocument;
  readonly kind: DataPoint['kind'];
  readonly before: SnapshotsDocument;
  readonly after: SnapshotsDocument;
}

/**
 * Machines of other classes that the update was run on: first the representatives of those that this class's own was a
 * member of, the last first, then those of the same round that are captured already.
 */
export async function earlierRepresentatives(
  documents: DocumentStore,
  { run, round, classId, representative }: ClassDocument,
): Promise<EarlierRepresentative[]> {
  // In the first round classes begin together, and each has its own witness.
  if (round === 1) return [];
  const classIds: string[] = [];
  for (let earlier = round - 1; earlier >= 1; earlier--) {
    const { classes } = await documents.read<RoundDocument>(roundKey(run, earlier));
    const was = classes.find(({ members }) => members.includes(representative.instanceId));
    if (was !== undefined) classIds.push(was.classId);
  }
  const { classes } = await documents.read<RoundDocument>(roundKey(run, round));
  const siblings = classes.map((one) => one.classId).filter((one) => one !== classId);
  classIds.push(...siblings.slice(0, MAX_SIBLINGS));
  const found: EarlierRepresentative[] = [];
  for (const one of classIds) {
    if (found.length === MAX_EARLIER) break;
    const captured = await capturedRepresentative(documents, run, one);
    if (captured !== undefined) found.push(captured);
  }
  return found;
}

/** Undefined for a class that is not captured, or by an earlier run, whose snapshots are there no more. */
async function capturedRepresentative(
  documents: DocumentStore,
  run: string,
  classId: string,
): Promise<EarlierRepresentative | undefined> {
  const capture = await documents.find<CaptureDocument>(captureKey(run, classId));
  if (capture === undefined) return undefined;
  const [document, before, after] = await Promise.all([
    documents.read<ClassDocument>(classKey(run, classId)),
    documents.find<SnapshotsDocument>(snapshotsKey(run, capture.instanceId, 'before')),
    documents.find<SnapshotsDocument>(snapshotsKey(run, capture.instanceId, 'after')),
  ]);
  if (before === undefined || after === undefined) return undefined;
  return { capture, kind: onlineKind(document), before, after };
}

/** Lends the images of all of them, before and after the update. */
export async function withEarlier<T>(
  services: Services,
  run: string,
  [first, ...others]: readonly EarlierRepresentative[],
  meter: UsageMeter,
  use: (earlier: readonly EarlierMachine[]) => Promise<T>,
): Promise<T> {
  if (first === undefined) return use([]);
  const { capture, before, after } = first;
  const { classId, instanceId } = capture;
  const [manifest, summary] = await Promise.all([
    readManifest(services.documents, capture),
    readRecording(services.documents, run, classId, instanceId),
  ]);
  return withImage(services, before.snapshots, meter, (imageBefore) =>
    withImage(services, after.snapshots, meter, (imageAfter) => {
      const one = { instanceId, before: imageBefore, after: imageAfter, summary, manifest };
      return withEarlier(services, run, others, meter, (rest) => use([one, ...rest]));
    }),
  );
}

/** What such a machine told, for the manifest and the report. */
export function earlierDataPoints(
  earlier: readonly EarlierRepresentative[],
  answer: EarlierAnswer | undefined,
  unread: Error | undefined,
): DataPoint[] {
  const asked = earlier.find(
    ({ capture }) => answer === undefined || capture.instanceId === answer.instanceId,
  );
  if (asked === undefined) return [];
  const common = { instanceId: asked.capture.instanceId, kind: asked.kind, role: 'earlier' as const };
  if (unread !== undefined) return [{ ...common, used: false, note: unread.message.slice(0, NOTE_LENGTH) }];
  if (answer === undefined) return [];
  const [first] = answer.unexplained;
  if (first === undefined) return [{ ...common, used: true }];
  const note = `it does not explain all that the update did here: ${first}`;
  return [{ ...common, used: false, note: note.slice(0, NOTE_LENGTH) }];
}
