import pLimit from 'p-limit';
import type { Image } from '../image/image';
import type { Manifest, Operation } from '../manifest/manifest-schema';
import type { RecordingSummary } from '../recording/summarize-recording';
import { packageFiles } from '../records/package-files';
import type { RecordCodec } from '../records/record-codec';
import type { Update } from '../update/update';
import { variationOf } from '../variation/variation';
import { effectsOf } from './effects';
import { impliedReads } from './implied-reads';
import { askForOwnText } from './own-text';
import { askForPackageTables } from './package-tables';
import { Questions } from './questions';
import { ReadStates } from './read-state';
import { askForRecordedReads } from './recorded-reads';

const CONCURRENT_READS = 8;

export interface FootprintRequest {
  readonly update: Update;
  /** The representative before and after the update. */
  readonly before: Image;
  readonly after: Image;
  readonly operations: readonly Operation[];
  /** Entries that changed by chance, and are not carried to other machines. */
  readonly random?: ReadonlySet<string>;
  /** Entries that the update wrote anew with what they held: on another machine they may hold something else. */
  readonly rewritten: readonly string[];
  /** Symbolic links of the representative before the update. */
  readonly links: readonly string[];
  /** One that lost nothing; without it only what the update's text and its operations tell is known. */
  readonly recording?: RecordingSummary;
  readonly codecFor: (path: string) => RecordCodec | undefined;
}

/**
 * What the update asked of its representative and did not change, as far as its outcome may depend on the answer. A
 * machine that answers otherwise must not be patched with what the representative's update did.
 */
export async function readFootprint(request: FootprintRequest): Promise<NonNullable<Manifest['reads']>> {
  const { before, after, operations, codecFor } = request;
  const effects = effectsOf(operations);
  const files = await packageFiles(before);
  const questions = new Questions();
  for (const path of request.rewritten) {
    // Of a table, the records that changed say all.
    if (codecFor(path) !== undefined) continue;
    questions.ask({ path, kind: 'entry' }, files.ownerOf(path) !== undefined);
  }
  for (const path of await impliedReads(operations, before)) questions.ask({ path, kind: 'entry' }, false);
  const own = await askForOwnText(questions, request, effects);
  await askForPackageTables(questions, request, effects);
  if (request.recording !== undefined) {
    // Of rpm's packages, one version may be left as it is beside another that comes.
    const filesAfter = before.os.packageSystem === 'rpm' ? await packageFiles(after) : files;
    const context = { request, recording: request.recording, effects, files, filesAfter, own };
    await askForRecordedReads(questions, context);
  }

  const states = new ReadStates(before, await variationOf(before), effects, codecFor, request.update.kind);
  const limit = pLimit(CONCURRENT_READS);
  return Promise.all(
    questions.all().map(({ hasPackageTime, ...question }) =>
      limit(async () => {
        const answer = await states.stateOf(question);
        const stat = hasPackageTime === true ? await before.lstat(question.path) : undefined;
        if (stat?.type !== 'file') return { ...question, ...answer };
        const { state: metadata } = await states.stateOf({ path: question.path, kind: 'metadata' });
        const { sizeBytes, mtimeNs } = stat;
        return { ...question, ...answer, unchanged: { sizeBytes, mtimeNs: String(mtimeNs), metadata } };
      }),
    ),
  );
}
