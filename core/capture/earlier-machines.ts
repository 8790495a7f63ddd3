import type { Digest } from '../chunk-store/chunk-store';
import { readEntry } from '../footprint/read-entry';
import { isBeside, withoutBeside } from '../footprint/implied-reads';
import type { Image } from '../image/image';
import type { Manifest, Operation } from '../manifest/manifest-schema';
import type { RecordingSummary } from '../recording/summarize-recording';
import type { ComparedDataPoints, ComparisonRequest } from './compare-data-points';
import { crossDifference, isState } from './cross-difference';
import type { DataPoint } from './data-point';
import { Decisions } from './decisions';
import { explainAlone, type OperationContents } from './explain-alone';
import { manifestAccounts } from './manifest-accounts';
import { secondMachine } from './second-machine';
import { templatesOfTwo } from './templates';

/** A machine of another class on which the same update was run before. */
export interface EarlierMachine {
  readonly instanceId: string;
  readonly before: Image;
  readonly after: Image;
  /** What was recorded on it. */
  readonly summary?: RecordingSummary;
  /** What was captured there. */
  readonly manifest: Pick<Manifest, 'operations' | 'decisions'>;
}

/** What machines of other classes told. */
export interface EarlierAnswer {
  /** The one that explains the most. */
  readonly instanceId: string;
  /** What none of it explains: `<path>: <reason>`. Only a second machine of the class itself can tell whether it is chance. */
  readonly unexplained: readonly string[];
}

/** One is enough; a person wants to know how many there are. */
const LISTED = 100;

/**
 * What an update did twice, on machines of whatever class, is no chance: so much of a second data point is there already
 * when the class is not the first one. What the update did on the representative alone explains itself where it removes or
 * changes the mode of something, or puts what it put elsewhere or what it had read.
 */
export async function explainByEarlier(
  request: ComparisonRequest,
  earlier: readonly EarlierMachine[],
  contents: OperationContents,
): Promise<Omit<ComparedDataPoints, 'witness'>> {
  let best: Attempt | undefined;
  for (const machine of earlier) {
    if (best?.unexplained.size === 0) break;
    const attempt = await compareWith(request, machine, contents);
    if (best === undefined || attempt.unexplained.size < best.unexplained.size) best = attempt;
  }
  const { machine, there, unexplained, warnings } = best!;
  const { representative, decisions, codecFor } = request;
  decisions.addAll(best!.decisions);
  const chance = chanceIn(machine.manifest);
  const own = new OwnExplanations(request, machine, there);
  const operations: Operation[] = [];
  const listed: string[] = [];
  const dropped = new Set<string>();
  for (const operation of best!.operations) {
    const { path } = operation;
    const reason = unexplained.get(path);
    if (operation.kind === 'make-hard-link' && dropped.has(operation.existingPath)) dropped.add(path);
    else if (reason === undefined) operations.push(operation);
    else if (chance.has(path) && isState(path) && codecFor(path) === undefined) {
      dropped.add(path);
      decisions.add(path, 'left-out', `${machine.instanceId} and its witness told that it is chance`);
    } else {
      const alone = await explainAlone([operation], representative, contents, decisions);
      operations.push(...alone.operations);
      warnings.push(...alone.warnings);
      if (!(await own.explain(operation))) listed.push(`${path}: ${reason}`);
    }
  }
  return {
    operations,
    accounts: await manifestAccounts(operations, contents.recordOf, representative, there),
    warnings,
    onlyOnline: [],
    earlier: { instanceId: machine.instanceId, unexplained: listed.slice(0, LISTED) },
  };
}

interface Attempt {
  readonly machine: EarlierMachine;
  readonly there: DataPoint;
  readonly operations: readonly Operation[];
  readonly warnings: string[];
  readonly decisions: Decisions;
  readonly unexplained: ReadonlyMap<string, string>;
}

async function compareWith(
  request: ComparisonRequest,
  machine: EarlierMachine,
  contents: OperationContents,
): Promise<Attempt> {
  const { representative, codecFor, capturedAt } = request;
  const { witness, operations } = await secondMachine(request, machine);
  const decisions = new Decisions();
  const unexplained = new Map<string, string>();
  const compared = await crossDifference({
    operations,
    representative,
    witness,
    templates: templatesOfTwo(representative, witness, capturedAt),
    ...contents,
    codecFor,
    decisions,
    unexplained,
  });
  return { machine, there: witness, ...compared, decisions, unexplained };
}

function chanceIn({ decisions }: EarlierMachine['manifest']): ReadonlySet<string> {
  const leftOut = (decisions?.paths ?? []).filter(({ decision }) => decision === 'left-out');
  return new Set(leftOut.map(({ path }) => path));
}

/** Tells which operations cannot be chance although one machine alone did them. */
class OwnExplanations {
  private readonly put: ReadonlySet<string>;

  constructor(
    private readonly request: Pick<ComparisonRequest, 'representative' | 'recording'>,
    machine: EarlierMachine,
    private readonly there: DataPoint,
  ) {
    this.put = new Set(
      machine.manifest.operations.flatMap((one) => (one.kind === 'put-file' ? [one.content] : [])),
    );
  }

  async explain(operation: Operation): Promise<boolean> {
    switch (operation.kind) {
      case 'remove':
      case 'set-metadata':
        return true;
      case 'put-record':
        return operation.records.every(({ after }) => after === 'absent');
      case 'put-file':
        return (
          (await this.isKnownName(operation.path)) &&
          (this.put.has(operation.content) || (await this.wasRead(operation.content, operation.sizeBytes)))
        );
      default:
        return false;
    }
  }

  /** A name may be chance too. */
  private async isKnownName(path: string): Promise<boolean> {
    const { before } = this.request.representative;
    if (isBeside(path) && (await before.lstat(withoutBeside(path))) !== undefined) return true;
    if ((await before.lstat(path)) !== undefined) return true;
    return (await this.there.after.lstat(this.there.pathOf(path))) !== undefined;
  }

  /** Whether it is a copy of a file that the update read. */
  private async wasRead(content: Digest, sizeBytes: number): Promise<boolean> {
    const { representative, recording } = this.request;
    for (const [path, { read, byUpdate, isDirectory }] of recording?.paths ?? []) {
      if (!read || byUpdate === 'no' || isDirectory) continue;
      const stat = await representative.before.lstat(path);
      if (stat?.type !== 'file' || stat.sizeBytes !== sizeBytes) continue;
      if ((await readEntry(representative.before, path, stat)).content === content) return true;
    }
    return false;
  }
}
