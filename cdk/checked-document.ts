import { RUN_DEFAULTS, UpdatesDocument } from '../core/workflow/updates-document';
import { mistakesOf } from '../core/workflow/mistakes';
import { parseRunInput } from '../core/workflow/run-input';
import { HOUSEKEEPING_SCHEDULE } from './constructs/housekeeping';
import { mistakeInExpression } from './constructs/run-schedule';
import type { ImageElvesProps } from './image-elves';
import { InvalidPropsError } from './invalid-props-error';

/**
 * What plan-run will read at run time, checked now: a mistake is told at synth time, not by the first run of a schedule.
 * @throws InvalidPropsError naming every mistake
 */
export function checkedDocument(props: ImageElvesProps): UpdatesDocument {
  const document: UpdatesDocument = {
    formatVersion: 1,
    updates: Object.entries(props.updates).map(([name, update]) => update.toDocument(name)),
    ...(props.targets === undefined ? {} : { defaultTargets: { ...props.targets } }),
    retainDays: props.volumeRetention?.toDays() ?? RUN_DEFAULTS.retainDays,
    maxConcurrency: props.maxConcurrency ?? RUN_DEFAULTS.maxConcurrency,
    toleratedFailurePercentage: props.toleratedFailurePercentage ?? RUN_DEFAULTS.toleratedFailurePercentage,
    maxRounds: props.maxRounds ?? RUN_DEFAULTS.maxRounds,
    representative: props.representative ?? RUN_DEFAULTS.representative,
  };
  const mistakes =
    document.updates.length === 0
      ? ['updates: name at least one, for example { security: Update.packages("security") }']
      : mistakesOf(UpdatesDocument, document, 'props');
  const packages = props.kernelEnginePackages ?? 'pinned';
  if (!['pinned', 'newest'].includes(packages))
    mistakes.push(`kernelEnginePackages: "${packages}" is neither "pinned" nor "newest"`);
  const housekeeping = mistakeInExpression(props.housekeeping?.schedule ?? HOUSEKEEPING_SCHEDULE);
  if (housekeeping !== undefined) mistakes.push(`housekeeping.schedule: ${housekeeping}`);
  const documentDays = props.documentRetention?.toDays();
  if (documentDays !== undefined && documentDays <= document.retainDays) {
    mistakes.push(
      `documentRetention: ${documentDays} days are not longer than volumeRetention (${document.retainDays} days); an old volume can be put back or pruned only while the documents of its run are there`,
    );
  }
  for (const [name, schedule] of Object.entries(props.schedules ?? {})) {
    const mistake = mistakeInExpression(schedule.expression);
    if (mistake !== undefined) mistakes.push(`schedules.${name}.expression: ${mistake}`);
    const wrong = mistakeInInput(schedule.input, document);
    if (wrong !== undefined) mistakes.push(`schedules.${name}.input: ${wrong}`);
  }
  if (mistakes.length > 0) throw new InvalidPropsError(mistakes);
  return document;
}

function mistakeInInput(input: unknown, document: UpdatesDocument): string | undefined {
  try {
    parseRunInput(input, document);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}
