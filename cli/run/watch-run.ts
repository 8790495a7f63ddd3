import {
  DescribeExecutionCommand,
  paginateGetExecutionHistory,
  type DescribeExecutionOutput,
  type SFNClient,
} from '@aws-sdk/client-sfn';
import { setTimeout as sleep } from 'node:timers/promises';
import { machinesPrefix, runPrefix } from '../../core/workflow/keys';
import type {
  ApplyDocument,
  FailureDocument,
  MatchDocument,
  RoundDocument,
  TargetDocument,
} from '../../core/workflow/documents';
import type { RunDocuments } from './run-documents';

const POLL_MS = 1000;

export interface WatchedRun {
  readonly executionArn: string;
  readonly run: string;
  /** Keys that were there before: they are not told. */
  readonly known: readonly string[];
}

/**
 * Follows an execution until it ends and tells each step as it happens: the states the run enters, the classes that
 * were found, and what was done to each machine, with blocks and bytes.
 */
export async function watchRun(
  sfn: SFNClient,
  documents: RunDocuments,
  { executionArn, run, known }: WatchedRun,
  tell: (line: string) => void,
): Promise<DescribeExecutionOutput> {
  const progress = new Progress(sfn, documents, { executionArn, run, known }, tell);
  for (;;) {
    const execution = await sfn.send(new DescribeExecutionCommand({ executionArn }));
    await progress.tellNew();
    if (execution.status !== 'RUNNING') return execution;
    await sleep(POLL_MS);
  }
}

class Progress {
  private readonly seenKeys: Set<string>;
  private readonly names = new Map<string, string>();
  private lastEvent = 0;
  private readonly executionArn: string;
  private readonly run: string;

  constructor(
    private readonly sfn: SFNClient,
    private readonly documents: RunDocuments,
    { executionArn, run, known }: WatchedRun,
    private readonly tell: (line: string) => void,
  ) {
    this.executionArn = executionArn;
    this.run = run;
    this.seenKeys = new Set(known);
  }

  async tellNew(): Promise<void> {
    await this.tellStates();
    const fresh = (await this.documents.keys(runPrefix(this.run))).filter((key) => !this.seenKeys.has(key));
    for (const key of fresh) {
      this.seenKeys.add(key);
      await this.tellDocument(key);
    }
  }

  private async tellStates(): Promise<void> {
    const pages = paginateGetExecutionHistory({ client: this.sfn }, { executionArn: this.executionArn });
    for await (const page of pages) {
      for (const event of page.events ?? []) {
        if ((event.id ?? 0) <= this.lastEvent) continue;
        this.lastEvent = event.id ?? this.lastEvent;
        const state = event.stateEnteredEventDetails?.name;
        if (state !== undefined && event.type !== 'ChoiceStateEntered' && event.type !== 'WaitStateEntered') {
          this.tell(`» ${state}`);
        }
      }
    }
  }

  private async tellDocument(key: string): Promise<void> {
    const round = /\/rounds\/(\d+)\/classes\.json$/.exec(key);
    if (round !== null) return this.tellRound(await this.documents.json<RoundDocument>(key));
    if (!key.startsWith(machinesPrefix(this.run))) return;
    const [instanceId = '', file = ''] = key.slice(machinesPrefix(this.run).length).split('/');
    if (file === 'target.json') {
      this.names.set(instanceId, (await this.documents.json<TargetDocument>(key)).name);
    } else if (file.startsWith('match-')) {
      const match = await this.documents.json<MatchDocument>(key);
      const verdict = match.alreadyPatched
        ? 'has the update already'
        : match.matched
          ? 'matches the manifest'
          : this.whyNot(match);
      this.tell(`    ${this.nameOf(instanceId)} ${verdict}`);
    } else if (file === 'apply.json') {
      await this.tellApply(key, instanceId);
    } else if (file === 'verify.json') {
      this.tell(
        `    ${this.nameOf(instanceId)} runs from its new volume once it is started: swapped and verified`,
      );
    } else if (file === 'failure.json') {
      const { step, error, message } = await this.documents.json<FailureDocument>(key);
      this.tell(`    ${this.nameOf(instanceId)} failed at "${step}": ${error}: ${message}`);
    }
  }

  private async tellApply(key: string, instanceId: string): Promise<void> {
    const apply = await this.documents.json<ApplyDocument>(key);
    if (!apply.done) {
      this.seenKeys.delete(key);
      return;
    }
    const { putBlocks, getBlocks } = apply.calls;
    const mib = (apply.contentBytes / 2 ** 20).toFixed(1);
    this.tell(
      `    ${this.nameOf(instanceId)} patched: ${apply.operations} operations, ${mib} MiB, ${putBlocks} blocks put, ${getBlocks} read`,
    );
  }

  private tellRound(round: RoundDocument): void {
    this.tell(
      `  round ${round.round}: ${round.classes.length} ${round.classes.length === 1 ? 'class' : 'classes'}`,
    );
    for (const { classId, representative, members } of round.classes) {
      const how = representative.kind === 'live' ? 'on the running machine' : 'on a clone of';
      this.tell(
        `    class ${classId}: ${members.map((id) => this.nameOf(id)).join(', ')}; the update is run ${how} ${this.nameOf(representative.instanceId)}`,
      );
    }
  }

  private whyNot(match: MatchDocument): string {
    const first = match.differences[0];
    const more = match.differenceCount > 1 ? ` and ${match.differenceCount - 1} more` : '';
    return first === undefined ? 'does not match' : `does not match: ${first.path}${more} (${first.why})`;
  }

  private nameOf(instanceId: string): string {
    return this.names.get(instanceId) ?? instanceId;
  }
}
