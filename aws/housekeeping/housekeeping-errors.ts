import { ImageElvesError } from '../../core/errors';
import type { PruneDocument, SweepDocument } from '../../core/workflow/documents';

/** Of a cause, which holds the message twice, Step Functions keeps 32,768 characters. */
const NAMED_VOLUMES = 300;
const NAMED_RUNS = 40;

/** Some old volumes could not be deleted; all others were. */
export class PruneFailedError extends ImageElvesError {
  override readonly name = 'PruneFailedError';

  constructor(failed: PruneDocument['failed'], documentKey: string) {
    const volumeIds = failed.map(({ volumeId }) => volumeId);
    super(
      `${failed.length} old volume(s) could not be deleted: ${named(volumeIds, ', ', NAMED_VOLUMES)}. The first: ${shortened(failed[0]?.problem ?? '')}`,
      { volumeIds, documentKey },
      `They are tried again by the next housekeeping; ${documentKey} says what is wrong with each.`,
    );
  }
}

/** Something of a dead run could not be removed, or needs a person. */
export class SweepFailedError extends ImageElvesError {
  override readonly name = 'SweepFailedError';

  constructor(
    { failed, unfinishedSwaps }: Pick<SweepDocument, 'failed' | 'unfinishedSwaps'>,
    documentKey: string,
  ) {
    const problems = failed.map(({ run, problem }) => shortened(`${run}: ${problem}`));
    const inputs = unfinishedSwaps.map(({ rollBackInput }) => JSON.stringify(rollBackInput));
    const sentences = [
      ...(problems.length === 0
        ? []
        : [`Not all could be removed of: ${named(problems, '; ', NAMED_RUNS)}.`]),
      ...(inputs.length === 0
        ? []
        : [
            `${inputs.length} machine(s) were left between two volumes: start roll-back-run with ${named(inputs, ' and with ', NAMED_RUNS)}.`,
          ]),
    ];
    super(
      sentences.join(' '),
      {
        runs: [...new Set([...failed, ...unfinishedSwaps].map(({ run }) => run))],
        instanceIds: unfinishedSwaps.map(({ instanceId }) => instanceId),
        documentKey,
      },
      `${documentKey} has the whole of it.`,
    );
  }
}

function named(all: readonly string[], separator: string, most: number): string {
  const more = all.length > most ? `${separator}${all.length - most} more` : '';
  return all.slice(0, most).join(separator) + more;
}

const shortened = (text: string): string => (text.length > 150 ? `${text.slice(0, 147)}...` : text);

/** An error in a few words, for a list of many. */
export const problemOf = (error: unknown): string =>
  error instanceof Error ? `${error.name}: ${error.message}` : String(error);
