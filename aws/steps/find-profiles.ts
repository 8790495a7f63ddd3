import pLimit from 'p-limit';
import type { Profile } from '../../core/profile/profile';
import type { ProfileDocument } from '../../core/workflow/documents';
import { profileKey } from '../../core/workflow/keys';
import type { DocumentStore } from '../s3/document-store';

/** Documents read at once. */
const CONCURRENT_READS = 50;

/** The profiles of these instances, in their order; who could not be profiled is not among them. */
export async function findProfiles(
  documents: DocumentStore,
  run: string,
  instanceIds: readonly string[],
): Promise<ProfileDocument<Profile>[]> {
  const limit = pLimit(CONCURRENT_READS);
  const found = await Promise.all(
    instanceIds.map((id) => limit(() => documents.find<ProfileDocument<Profile>>(profileKey(run, id)))),
  );
  return found.filter((document) => document !== undefined);
}
