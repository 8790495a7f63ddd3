import type { Capture, CaptureWitness } from '../../core/capture/capture';
import type { Manifest } from '../../core/manifest/manifest-schema';
import type { ClassDocument, SnapshotsDocument } from '../../core/workflow/documents';
import { snapshotsKey } from '../../core/workflow/keys';
import type { WitnessResult } from '../../core/workflow/payloads';
import type { UsageMeter } from '../ebs/usage-meter';
import type { Services } from '../services';
import { withImage } from './open-snapshots';
import { readCause } from './record-failure';

/** Lends the images of the witness before and after the update; none where there is no witness or it failed. */
export async function withWitness<T>(
  services: Services,
  run: string,
  witness: WitnessResult | undefined,
  meter: UsageMeter,
  use: (images: CaptureWitness | undefined) => Promise<T>,
): Promise<T> {
  if (witness === undefined || witness.error !== null) return use(undefined);
  const snapshots = (purpose: 'before' | 'after'): Promise<SnapshotsDocument> =>
    services.documents.read<SnapshotsDocument>(snapshotsKey(run, witness.instanceId, purpose));
  const [before, after] = await Promise.all([snapshots('before'), snapshots('after')]);
  return withImage(services, before.snapshots, meter, (imageBefore) =>
    withImage(services, after.snapshots, meter, (imageAfter) =>
      use({ before: imageBefore, after: imageAfter }),
    ),
  );
}

/** Where the update was run and what each machine told, for the manifest and the report. */
export function dataPointsOf(
  instanceId: string,
  { representative, witness: chosen }: ClassDocument,
  witness: WitnessResult | undefined,
  told: Capture['witness'],
): NonNullable<Manifest['dataPoints']> {
  const first = { instanceId, kind: representative.kind, role: 'representative', used: true } as const;
  if (chosen === undefined || witness === undefined) return [first];
  const outcome = witness.error === null ? told : { used: false, note: noteOf(witness.error) };
  return [
    first,
    { instanceId: witness.instanceId, kind: chosen.kind, role: 'witness', ...(outcome ?? { used: false }) },
  ];
}

const NOTE_LENGTH = 1000;

function noteOf(error: NonNullable<WitnessResult['error']>): string {
  const { error: name, message } = readCause(error);
  return `${message} [${name}]`.slice(0, NOTE_LENGTH);
}
