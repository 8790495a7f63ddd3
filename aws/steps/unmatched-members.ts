import type { CaptureDocument, MatchDocument, RoundDocument } from '../../core/workflow/documents';
import { captureKey, failureKey, matchKey, roundKey } from '../../core/workflow/keys';
import type { DocumentStore } from '../s3/document-store';

export interface Unmatched {
  /** How each member differs from its class's manifest. */
  readonly unmatched: ReadonlyMap<string, readonly string[]>;
  /** Members that another round would not help, and why. */
  readonly hopeless: ReadonlyMap<string, string>;
}

/**
 * Members of a round that were compared with their class's manifest and differ. Who failed, or whose class failed before
 * the comparison, is not among them: another round would not help.
 */
export async function unmatchedMembers(
  documents: DocumentStore,
  run: string,
  round: number,
): Promise<Unmatched> {
  const { classes } = await documents.read<RoundDocument>(roundKey(run, round));
  const unmatched = new Map<string, readonly string[]>();
  const hopeless = new Map<string, string>();
  for (const { classId, members, representative } of classes) {
    const reasons = (await documents.find<CaptureDocument>(captureKey(run, classId)))?.told.onlyOnline;
    const found = await Promise.all(
      members.map(async (instanceId) => ({
        match: await documents.find<MatchDocument>(matchKey(run, instanceId, classId)),
        failed: (await documents.find(failureKey(run, instanceId))) !== undefined,
      })),
    );
    for (const { match, failed } of found) {
      if (match === undefined || match.matched || failed) continue;
      const { instanceId } = match;
      if (reasons !== undefined) {
        hopeless.set(instanceId, `it needs the update online: ${reasons.join('; ')}`);
      } else if (representative.kind === 'clone' && representative.instanceId === instanceId) {
        hopeless.set(instanceId, 'not even what the update did to its own clone fits it');
      } else unmatched.set(instanceId, [classId, ...match.differences.map(inWords)]);
    }
  }
  return { unmatched, hopeless };
}

const inWords = ({ path, record, found }: MatchDocument['differences'][number]): string =>
  `${path}\0${record ?? ''}\0${found}`;
