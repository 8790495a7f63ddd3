import type { Digest } from '../chunk-store/chunk-store';
import type { Image } from '../image/image';
import type { Manifest, Operation } from '../manifest/manifest-schema';
import type { RecordingSummary } from '../recording/summarize-recording';
import type { RecordCodec } from '../records/record-codec';
import { crossDifference, isState } from './cross-difference';
import type { DataPoint } from './data-point';
import type { Decisions } from './decisions';
import { type EarlierAnswer, type EarlierMachine, explainByEarlier } from './earlier-machines';
import { explainAlone, type OperationContents } from './explain-alone';
import { changedThereOnly, witnessMisfit } from './judge-witness';
import { manifestAccounts } from './manifest-accounts';
import { neutralBefores } from './neutral-befores';
import type { Changes } from './read-changes';
import { type SecondMachine, secondMachine } from './second-machine';
import { templatesOfTwo } from './templates';
import type { VolatileRule } from './volatile-paths';

export interface ComparisonRequest {
  /** What the update did to the representative, as it stands there. */
  readonly operations: readonly Operation[];
  readonly changes: Changes;
  readonly representative: DataPoint;
  readonly witness?: { readonly before: Image; readonly after: Image; readonly summary?: RecordingSummary };
  /** Machines of other classes that are asked where there is no witness. */
  readonly earlier?: readonly EarlierMachine[];
  readonly recording?: RecordingSummary;
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
  readonly earlier?: EarlierAnswer;
}

/**
 * Tells what of an update is the same for every machine, what is each machine's own, and what is chance: by the
 * representative and a second machine of its class where there is one, by what the update did on machines of other
 * classes where that is known, else by the representative alone.
 */
export async function compareDataPoints(request: ComparisonRequest): Promise<ComparedDataPoints> {
  const { operations, changes, representative, codecFor, decisions } = request;
  const contents: OperationContents = {
    recordOf: ({ after, content }) => changes.recordContents.get(content ?? (after as Digest))!,
    contentOf: async ({ path, content }) =>
      changes.kept.get(content) ?? (await representative.after.readFile(path)),
  };
  const judged = request.witness && (await judge(request, request.witness));

  if (judged?.witness !== undefined) {
    const { witness } = judged;
    const compared = await crossDifference({
      operations: judged.operations,
      representative,
      witness,
      templates: templatesOfTwo(representative, witness, request.capturedAt),
      ...contents,
      codecFor,
      decisions,
    });
    const more = await onlyThere(request, witness);
    return {
      operations: compared.operations,
      accounts: await manifestAccounts(compared.operations, contents.recordOf, representative, witness),
      warnings: [...compared.warnings, ...more.warnings],
      onlyOnline: [...compared.onlyOnline, ...more.onlyOnline],
      witness: { used: true },
    };
  }

  const note = judged && { witness: { used: false, note: judged.misfit } };
  if (request.earlier !== undefined && request.earlier.length > 0) {
    return { ...(await explainByEarlier(request, request.earlier, contents)), ...note };
  }
  const { operations: befores } = await neutralBefores(
    operations,
    changes,
    representative,
    undefined,
    codecFor,
  );
  const alone = await explainAlone(befores, representative, contents, decisions);
  return {
    ...alone,
    accounts: await manifestAccounts(alone.operations, contents.recordOf, representative, undefined),
    onlyOnline: [],
    ...note,
  };
}

/** Whether the witness was of this class before; then with what others must have had, as both machines tell it. */
async function judge(
  request: ComparisonRequest,
  images: NonNullable<ComparisonRequest['witness']>,
): Promise<
  | (SecondMachine & { readonly misfit?: undefined })
  | { readonly witness?: undefined; readonly misfit: string }
> {
  const second = await secondMachine(request, images);
  const { witness, operations, there } = second;
  const misfit = await witnessMisfit(request.manifestOf(operations), there, witness, request.codecFor);
  return misfit === undefined ? second : { misfit };
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
