import type { Capture, CaptureWitness } from '../../core/capture/capture';
import type { Manifest } from '../../core/manifest/manifest-schema';
import type { ClassDocument, SnapshotsDocument } from '../../core/workflow/documents';
import { classKey, snapshotsKey } from '../../core/workflow/keys';
import type { WitnessResult } from '../../core/workflow/payloads';
import type { UsageMeter } from '../ebs/usage-meter';
import type { Services } from '../services';
import { withImage } from './open-snapshots';
import { readRecording } from './recordings';
import { readCause } from './record-failure';

/** A witness whose update ended well. */
export interface LentWitness {
  readonly images: CaptureWitness;
  readonly representative: Manifest['representative'];
}

/** Lends the images of the witness before and after the update; none where there is no witness or it failed. */
export async function withWitness<T>(
  services: Services,
  { run, classId }: { readonly run: string; readonly classId: string },
  witness: WitnessResult | undefined,
  meter: UsageMeter,
  use: (witness: LentWitness | undefined) => Promise<T>,
): Promise<T> {
  if (witness === undefined || witness.error !== null) return use(undefined);
  const snapshots = (purpose: 'before' | 'after'): Promise<SnapshotsDocument> =>
    services.documents.read<SnapshotsDocument>(snapshotsKey(run, witness.instanceId, purpose));
  const [classDocument, before, after, summary] = await Promise.all([
    services.documents.read<ClassDocument>(classKey(run, classId)),
    snapshots('before'),
    snapshots('after'),
    readRecording(services.documents, run, classId, witness.instanceId),
  ]);
  return withImage(services, before.snapshots, meter, (imageBefore) =>
    withImage(services, after.snapshots, meter, (imageAfter) =>
      use({
        images: { before: imageBefore, after: imageAfter, summary },
        representative: {
          instanceId: witness.instanceId,
          kind: classDocument.witness?.kind ?? 'live',
          snapshots: { before: idsOf(before), after: idsOf(after) },
        },
      }),
    ),
  );
}

/** Where the update was run and what each machine told, for the manifest and the report. */
export function dataPointsOf(
  instanceId: string,
  classDocument: ClassDocument,
  witness: WitnessResult | undefined,
  told: Capture['witness'],
): NonNullable<Manifest['dataPoints']> {
  const { witness: chosen } = classDocument;
  const first = { instanceId, kind: onlineKind(classDocument), role: 'representative', used: true } as const;
  if (chosen === undefined || witness === undefined) return [first];
  const outcome = witness.error === null ? told : { used: false, note: noteOf(witness.error) };
  return [
    first,
    { instanceId: witness.instanceId, kind: chosen.kind, role: 'witness', ...(outcome ?? { used: false }) },
  ];
}

/** A class that is captured has a representative on which the update was run. */
export const onlineKind = ({ representative }: ClassDocument): 'live' | 'clone' =>
  representative.kind === 'clone' ? 'clone' : 'live';

export const idsOf = ({ snapshots }: SnapshotsDocument): string[] =>
  snapshots.map(({ snapshotId }) => snapshotId);

const NOTE_LENGTH = 1000;

function noteOf(error: NonNullable<WitnessResult['error']>): string {
  const { error: name, message } = readCause(error);
  return `${message} [${name}]`.slice(0, NOTE_LENGTH);
}
