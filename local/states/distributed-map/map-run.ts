import type { StateGraph } from '../definition/definition';
import type { ExecutionStatus } from '../executions/execution-record';

/** How many items or children are in which state. `total` stays 0 until the items are known. */
export interface MapRunCounts {
  pending: number;
  running: number;
  succeeded: number;
  failed: number;
  timedOut: number;
  aborted: number;
  total: number;
  resultsWritten: number;
  failuresNotRedrivable: number;
  pendingRedrive: number;
}

const noCounts = (): MapRunCounts => ({
  pending: 0,
  running: 0,
  succeeded: 0,
  failed: 0,
  timedOut: 0,
  aborted: 0,
  total: 0,
  resultsWritten: 0,
  failuresNotRedrivable: 0,
  pendingRedrive: 0,
});

const COUNTED_AS = {
  SUCCEEDED: 'succeeded',
  FAILED: 'failed',
  TIMED_OUT: 'timedOut',
  ABORTED: 'aborted',
} as const;

export interface MapRunFacts {
  mapRunArn: string;
  /** The execution whose Map state this is. */
  executionArn: string;
  /** ARN of the children's state machine: `$machine/$label`. */
  stateMachineArn: string;
  /** What every child runs. */
  definition: StateGraph;
  startDate: number;
  maxConcurrency: number;
  toleratedFailurePercentage: number;
  toleratedFailureCount: number;
}

export interface MapRunDocument extends MapRunFacts {
  status: 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'ABORTED';
  stopDate?: number;
  itemCounts: MapRunCounts;
  executionCounts: MapRunCounts;
}

/** One run of a Distributed Map: its limits and its progress. */
export class MapRun {
  readonly document: MapRunDocument;

  constructor(facts: MapRunFacts) {
    this.document = { ...facts, status: 'RUNNING', itemCounts: noCounts(), executionCounts: noCounts() };
  }

  /** The number in an ARN's last part, unique to this run. */
  get id(): string {
    return this.document.mapRunArn.split(':').at(-1) ?? '';
  }

  itemsKnown(batches: readonly number[]): void {
    const { itemCounts, executionCounts } = this.document;
    itemCounts.total = itemCounts.pending = batches.reduce((sum, items) => sum + items, 0);
    executionCounts.total = executionCounts.pending = batches.length;
  }

  childStarted(items: number): void {
    this.move('pending', 'running', items);
  }

  childEnded(status: ExecutionStatus, items: number): void {
    if (status !== 'RUNNING') this.move('running', COUNTED_AS[status], items);
  }

  /** Whether more has failed than may. With neither limit given, nothing may. */
  get toleranceExceeded(): boolean {
    const { toleratedFailureCount, toleratedFailurePercentage, itemCounts } = this.document;
    const failures = itemCounts.failed + itemCounts.timedOut + itemCounts.aborted;
    if (failures === 0) return false;
    const byCount = failures > toleratedFailureCount;
    const byPercentage = (failures / itemCounts.total) * 100 > toleratedFailurePercentage;
    if (toleratedFailureCount > 0 && toleratedFailurePercentage > 0) return byCount || byPercentage;
    return toleratedFailureCount > 0 ? byCount : byPercentage;
  }

  resultsWritten(): void {
    for (const counts of [this.document.itemCounts, this.document.executionCounts])
      counts.resultsWritten = counts.total;
  }

  end(status: 'SUCCEEDED' | 'FAILED' | 'ABORTED', at: Date): void {
    this.document.status = status;
    this.document.stopDate = at.getTime();
  }

  private move(from: keyof MapRunCounts, to: keyof MapRunCounts, items: number): void {
    const { itemCounts, executionCounts } = this.document;
    itemCounts[from] -= items;
    itemCounts[to] += items;
    executionCounts[from] -= 1;
    executionCounts[to] += 1;
  }
}
