import { costOf, type Usage as Charged } from '../classify/prices';
import type { StepCost, Usage } from '../workflow/documents';

/** Memory of the functions that read and write blocks, in GB: nearly all of a run's Lambda time is theirs. */
const BLOCK_STEP_GB = 3008 / 1024;
/** State transitions of one machine from snapshot to released lease, a few waits at each included. */
const TRANSITIONS_PER_MACHINE = 60;
const DAYS_PER_MONTH = 30;

export const NO_USAGE: Usage = {
  listCalls: 0,
  getBlocks: 0,
  putBlocks: 0,
  bytesRead: 0,
  bytesWritten: 0,
};

export function sumUsage(usages: readonly Usage[]): Usage {
  return usages.reduce(
    (sum, usage) => ({
      listCalls: sum.listCalls + usage.listCalls,
      getBlocks: sum.getBlocks + usage.getBlocks,
      putBlocks: sum.putBlocks + usage.putBlocks,
      bytesRead: sum.bytesRead + usage.bytesRead,
      bytesWritten: sum.bytesWritten + usage.bytesWritten,
    }),
    NO_USAGE,
  );
}

/** Seconds from start to end of a step. */
export function secondsOf({ startedAt, endedAt }: Pick<StepCost, 'startedAt' | 'endedAt'>): number {
  return Math.max(0, (Date.parse(endedAt) - Date.parse(startedAt)) / 1000);
}

export interface CostItem {
  readonly what: string;
  readonly usd: number;
}

export interface Spent {
  readonly usage: Usage;
  /** Of the steps that read and write blocks. */
  readonly blockStepSeconds: number;
  readonly machines: number;
  readonly keptGib: number;
  readonly retainDays: number;
}

/** What a run cost, by what it is charged for. */
export function costItems({ usage, blockStepSeconds, machines, keptGib, retainDays }: Spent): CostItem[] {
  return [
    item(`${usage.listCalls + usage.getBlocks + usage.putBlocks} calls of EBS direct`, chargedCalls(usage)),
    item(`${Math.round(blockStepSeconds)} s of Lambda`, {
      lambdaGbSeconds: blockStepSeconds * BLOCK_STEP_GB,
    }),
    item('state transitions, about', { stateTransitions: machines * TRANSITIONS_PER_MACHINE }),
    item(`${keptGib} GiB of old volumes, kept for ${retainDays} days`, {
      gp3GbMonths: (keptGib * retainDays) / DAYS_PER_MONTH,
    }),
  ];
}

/** The block calls of one machine, in dollars. */
export const usdOfUsage = (usage: Usage): number => costOf(chargedCalls(usage));

export const totalUsd = (items: readonly CostItem[]): number => items.reduce((sum, { usd }) => sum + usd, 0);

function chargedCalls({ listCalls, getBlocks, putBlocks }: Usage): Partial<Charged> {
  return {
    listSnapshotBlocksCalls: listCalls,
    getSnapshotBlocks: getBlocks,
    putSnapshotBlocks: putBlocks,
  };
}

const item = (what: string, charged: Partial<Charged>): CostItem => ({ what, usd: costOf(charged) });
