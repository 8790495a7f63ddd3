import type { ClassDocument, MatchDocument } from '../../core/workflow/documents';
import { classKey, matchedKey, matchKey, restKey } from '../../core/workflow/keys';
import type {
  MemberItem,
  PatchItem,
  SelectMatchedInput,
  SelectMatchedOutput,
} from '../../core/workflow/payloads';
import type { Services } from '../services';

/**
 * Lists the members that matched and have something to be patched, and picks the canary: the original of a clone, which
 * is the most like it, else the first by id.
 */
export async function selectMatched(
  { documents }: Services,
  { run, classId }: SelectMatchedInput,
): Promise<SelectMatchedOutput> {
  const { membersKey, representative } = await documents.read<ClassDocument>(classKey(run, classId));
  const members = await documents.readLines<MemberItem>(membersKey);
  const matches = await Promise.all(
    members.map(({ instanceId }) => documents.find<MatchDocument>(matchKey(run, instanceId, classId))),
  );
  const items = matches.flatMap((match): PatchItem[] => {
    if (match === undefined || !match.matched || match.alreadyPatched) return [];
    const { instanceId, manifestKey, manifestDigest } = match;
    return [{ run, classId, instanceId, manifestKey, manifestDigest }];
  });
  const canary = items.find(({ instanceId }) => instanceId === representative.instanceId) ?? items[0];
  const rest = items.filter((item) => item !== canary);
  await documents.writeLines(matchedKey(run, classId), items);
  await documents.writeLines(restKey(run, classId), rest);
  return {
    matchedCount: items.length,
    ...(canary === undefined ? {} : { canary }),
    restKey: restKey(run, classId),
    restCount: rest.length,
  };
}
