import type { Digest } from '../chunk-store/chunk-store';
import type { Image } from '../image/image';
import type { Manifest, Operation, OperationOf } from '../manifest/manifest-schema';
import type { RecordingSummary } from '../recording/summarize-recording';
import type { RecordCodec } from '../records/record-codec';
import { crossDifference, isState } from './cross-difference';
import { type DataPoint, dataPoint } from './data-point';
import type { Decisions } from './decisions';
import { changedThereOnly, witnessMisfit } from './judge-witness';
import { manifestAccounts } from './manifest-accounts';
import { neutralBefores } from './neutral-befores';
import { withOwnValues } from './own-values';
import type { Changes } from './read-changes';
import { pathAlone, pathOnOther, type PathTemplate } from '../variation/path-templates';
import { TemplatesAlone, TemplatesOfTwo } from './templates';
import type { VolatileRule } from './volatile-paths';

export interface ComparisonRequest {
  /** What the update did to the representative, as it stands there. */
  readonly operations: readonly Operation[];
  readonly changes: Changes;
  readonly representative: DataPoint;
  readonly witness?: { readonly before: Image; readonly after: Image; readonly summary?: RecordingSummary };
  /** Every path that changed on the representative, whoever changed it. */
  readonly changedPaths: ReadonlySet<string>;
  readonly rules: readonly VolatileRule[];
  readonly codecFor: (path: string) => RecordCodec | undefined;
  readonly capturedAt: Date;
  readonly decisions: Decisions;
  /** The manifest of these operations, to be held against what the witness was before. */
  manifestOf(operations: readonly Operation[]): Manifest;
}

export interface ComparedDataPoints {
  readonly operations: Operation[];
  readonly accounts: NonNullable<Manifest['accounts']>;
  readonly warnings: readonly string[];
  readonly onlyOnline: readonly string[];
  readonly witness?: { readonly used: boolean; readonly note?: string };
}

/** An update takes less, with all its restarts. */
const LONGEST_UPDATE_MS = 24 * 3600 * 1000;

/**
 * Tells what of an update is the same for every machine, what is each machine's own, and what is chance: by the
 * representative and a second machine of its class where there is one, else by the representative alone.
 */
export async function compareDataPoints(request: ComparisonRequest): Promise<ComparedDataPoints> {
  const { operations, changes, representative, codecFor, decisions } = request;
  const recordOf = recordReader(changes);
  const contentOf = async ({ path, content }: OperationOf<'put-file'>): Promise<Uint8Array> =>
    changes.kept.get(content) ?? (await representative.after.readFile(path));
  const judged = request.witness && (await judge(request, request.witness));

  if (judged?.witness !== undefined) {
    const { witness } = judged;
    const compared = await crossDifference({
      operations: judged.operations,
      representative,
      witness,
      templates: new TemplatesOfTwo(
        { left: representative.is.points, right: witness.is.points },
        { left: representative.after.identity, right: witness.after.identity },
        { from: new Date(request.capturedAt.getTime() - LONGEST_UPDATE_MS), to: request.capturedAt },
      ),
      contentOf,
      recordOf,
      codecFor,
      decisions,
    });
    const more = await onlyThere(request, witness);
    return {
      operations: compared.operations,
      accounts: await manifestAccounts(compared.operations, recordOf, representative, witness),
      warnings: [...compared.warnings, ...more.warnings],
      onlyOnline: [...compared.onlyOnline, ...more.onlyOnline],
      witness: { used: true },
    };
  }

  const { operations: befores } = await neutralBefores(
    operations,
    changes,
    representative,
    undefined,
    codecFor,
  );
  const templates = new TemplatesAlone(representative.is.points, representative.after.identity);
  const alone = await withOwnValues(befores.map(withOwnPath), templates, contentOf, recordOf, decisions);
  return {
    operations: alone.operations,
    accounts: await manifestAccounts(alone.operations, recordOf, representative, undefined),
    warnings: alone.warnings,
    onlyOnline: [],
    ...(judged && { witness: { used: false, note: judged.misfit } }),
  };

  /** What is changed under a name that may be a word is there on every machine that matches. */
  function withOwnPath(operation: Operation): Operation {
    const isChanged = operation.before !== 'absent' && operation.after !== 'absent';
    const found = pathAlone(operation.path, representative.is.points).filter(
      ({ fixed }) => !isChanged || fixed !== true,
    );
    return found.length === 0 ? operation : { ...operation, pathSubstitutions: found };
  }
}

/** Whether the witness was of this class before; then with what others must have had, as both machines tell it. */
async function judge(
  { operations, changes, representative, codecFor, manifestOf }: ComparisonRequest,
  { before, after, summary }: NonNullable<ComparisonRequest['witness']>,
): Promise<
  | { readonly witness: DataPoint; readonly operations: Operation[] }
  | { readonly witness?: undefined; readonly misfit: string }
> {
  const recorded = summary?.lost === false ? (path: string) => summary.paths.get(path) : undefined;
  const there = await dataPoint(before, after, recorded);
  const templates = await pathTemplates(operations, representative, there);
  const witness = { ...there, pathOf: (path: string) => templates.get(path)?.path ?? path };
  const befores = await neutralBefores(operations, changes, representative, witness, codecFor);
  const misfit = await witnessMisfit(manifestOf(befores.operations), befores.there, witness, codecFor);
  if (misfit !== undefined) return { misfit };
  const made = befores.operations.map((operation): Operation => {
    const substitutions = templates.get(operation.path)?.substitutions ?? [];
    return substitutions.length === 0 ? operation : { ...operation, pathSubstitutions: [...substitutions] };
  });
  return { witness, operations: made };
}

/** Paths that the witness has by its own values, and not as the representative has them. */
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

async function onlyThere(
  request: ComparisonRequest,
  witness: DataPoint,
): Promise<{ warnings: string[]; onlyOnline: string[] }> {
  const { representative, decisions, changedPaths: known, rules, codecFor } = request;
  const recording = request.witness?.summary;
  const knownThere = new Set([...known, ...[...known].map((path) => witness.pathOf(path))]);
  const paths = await changedThereOnly(representative, witness, knownThere, { rules, recording, codecFor });
  const warnings: string[] = [];
  const onlyOnline: string[] = [];
  const reason = 'the update changed it on the second machine only';
  for (const path of paths) {
    decisions.add(path, 'left-out', reason);
    if (isState(path)) warnings.push(`${path} is left out: ${reason}`);
    else onlyOnline.push(`${path} cannot be made offline: ${reason}`);
  }
  return { warnings, onlyOnline };
}

function recordReader(
  changes: Pick<Changes, 'recordContents'>,
): (record: OperationOf<'put-record'>['records'][number]) => Uint8Array {
  return ({ after, content }) => changes.recordContents.get(content ?? (after as Digest))!;
}
