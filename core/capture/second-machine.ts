import type { Operation } from '../manifest/manifest-schema';
import { pathOnOther, type PathTemplate } from '../variation/path-templates';
import type { ComparisonRequest } from './compare-data-points';
import { type DataPoint, dataPoint } from './data-point';
import { neutralBefores } from './neutral-befores';

export interface SecondMachine {
  readonly witness: DataPoint;
  /** With what others must have had, as both machines tell it. */
  readonly operations: Operation[];
  /** The same as this machine must have fulfilled them. */
  readonly there: Operation[];
}

/** Holds the operations of the representative against a second machine on which the update was run. */
export async function secondMachine(
  {
    operations,
    changes,
    representative,
    codecFor,
  }: Pick<ComparisonRequest, 'operations' | 'changes' | 'representative' | 'codecFor'>,
  { before, after, summary }: NonNullable<ComparisonRequest['witness']>,
): Promise<SecondMachine> {
  const recorded = summary?.lost === false ? (path: string) => summary.paths.get(path) : undefined;
  const there = await dataPoint(before, after, recorded);
  const templates = await pathTemplates(operations, representative, there);
  const witness = { ...there, pathOf: (path: string) => templates.get(path)?.path ?? path };
  const befores = await neutralBefores(operations, changes, representative, witness, codecFor);
  const made = befores.operations.map((operation): Operation => {
    const substitutions = templates.get(operation.path)?.substitutions ?? [];
    return substitutions.length === 0 ? operation : { ...operation, pathSubstitutions: [...substitutions] };
  });
  return { witness, operations: made, there: befores.there };
}

/** Paths that the second machine has by its own values, and not as the representative has them. */
async function pathTemplates(
  operations: readonly Operation[],
  { is, was }: DataPoint,
  there: DataPoint,
): Promise<ReadonlyMap<string, PathTemplate>> {
  const templates = new Map<string, PathTemplate>();
  for (const { path, after } of operations) {
    const [own, other, image] =
      after === 'absent' ? [was, there.was, there.before] : [is, there.is, there.after];
    const template = pathOnOther(path, own.points, other.points);
    if (template === undefined) continue;
    const isOwn = template.path === path || (await image.lstat(path)) === undefined;
    if (isOwn && (await image.lstat(template.path)) !== undefined) templates.set(path, template);
  }
  return templates;
}
