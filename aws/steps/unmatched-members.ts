import type { MatchDocument, RoundDocument } from '../../core/workflow/documents';
import { failureKey, matchKey, roundKey } from '../../core/workflow/keys';
import type { DocumentStore } from '../s3/document-store';

/**
 * Members of a round that were compared with their class's manifest and differ, each with how it differs. Who failed, or
 * whose class failed before the comparison, is not among them: another round would not help.
 */
export async function unmatchedMembers(
  documents: DocumentStore,
  run: string,
  round: number,
): Promise<Map<string, readonly string[]>> {
  const { classes } = await documents.read<RoundDocument>(roundKey(run, round));
  const unmatched = new Map<string, readonly string[]>();
  for (const { classId, members } of classes) {
    const found = await Promise.all(
      members.map(async (instanceId) => ({
        match: await documents.find<MatchDocument>(matchKey(run, instanceId, classId)),
        failed: (await documents.find(failureKey(run, instanceId))) !== undefined,
      })),
    );
    for (const { match, failed } of found) {
      if (match === undefined || match.matched || failed) continue;
      unmatched.set(match.instanceId, [classId, ...match.differences.map(inWords)]);
    }
  }
  return unmatched;
}

const inWords = ({ path, record, found }: MatchDocument['differences'][number]): string =>
  `${path}\0${record ?? ''}\0${found}`;
