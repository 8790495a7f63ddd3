import type { RememberedFit } from '../../core/memory/remembered-manifest';
import type { Profile } from '../../core/profile/profile';
import { signatureOf } from '../../core/profile/signature';
import type { CaptureDocument, ClassDocument, RoundDocument } from '../../core/workflow/documents';
import { captureKey, classKey, roundKey } from '../../core/workflow/keys';
import type { DocumentStore } from '../s3/document-store';
import { findProfiles } from './find-profiles';

/**
 * A witness that turned out to be of another class than its representative has told what the update does there: the
 * members that look like it need no online run of their own.
 *
 * @param profiles of the members to classify
 * @returns what was captured on such a witness, by the instances that have its signature
 */
export async function witnessFits(
  documents: DocumentStore,
  run: string,
  round: number,
  profiles: readonly Profile[],
): Promise<Map<string, RememberedFit>> {
  const { classes } = await documents.read<RoundDocument>(roundKey(run, round));
  const fits = new Map<string, RememberedFit>();
  for (const { classId } of classes) {
    const captured = (await documents.find<CaptureDocument>(captureKey(run, classId)))?.witnessManifest;
    const { witness } = await documents.read<ClassDocument>(classKey(run, classId));
    if (captured === undefined || witness === undefined) continue;
    const [told] = await findProfiles(documents, run, [witness.instanceId]);
    if (told === undefined) continue;
    const signature = signatureOf(told.profile);
    for (const profile of profiles.filter((one) => signatureOf(one) === signature)) {
      fits.set(profile.instanceId, { ...captured, run });
    }
  }
  return fits;
}
