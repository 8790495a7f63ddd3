import type { StepCost, Usage } from '../workflow/documents';
import { BLOCK_STEP_GB, DAYS_PER_MONTH, PRICES, TRANSITIONS_PER_MACHINE } from './prices';

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

/** Seconds from start to end of a step, or of what a few steps took together. */
export function secondsOf({ startedAt, endedAt }: Pick<StepCost, 'startedAt' | 'endedAt'>): number {
  return Math.max(0, (Date.parse(endedAt) - Date.parse(startedAt)) / 1000);
}

export interface CostItem {
  readonly what: string;
  readonly quantity: number;
  readonly usd: number;
}

export interface CostFacts {
  readonly usage: Usage;
  /** Of the steps that read and write blocks. */
  readonly blockStepSeconds: number;
  readonly machines: number;
  readonly keptGib: number;
  readonly retainDays: number;
}

/** What a run cost, or would cost, by what it is charged for. */
export function costItems(facts: CostFacts): CostItem[] {
  const { usage, blockStepSeconds, machines, keptGib, retainDays } = facts;
  const gbSeconds = blockStepSeconds * BLOCK_STEP_GB;
  const transitions = machines * TRANSITIONS_PER_MACHINE;
  return [
    item('EBS direct list calls', usage.listCalls, PRICES.listCall),
    item('blocks read', usage.getBlocks, PRICES.getBlock),
    item('blocks written', usage.putBlocks, PRICES.putBlock),
    item('Lambda GB-seconds', gbSeconds, PRICES.lambdaGbSecond),
    item('state transitions (about)', transitions, PRICES.stateTransition),
    item(
      `GiB of old volumes kept for ${retainDays} days`,
      keptGib,
      (PRICES.volumeGibMonth * retainDays) / DAYS_PER_MONTH,
    ),
  ];
}

/** The calls of one machine alone, in dollars. */
export function usdOfUsage({ listCalls, getBlocks, putBlocks }: Usage): number {
  return listCalls * PRICES.listCall + getBlocks * PRICES.getBlock + putBlocks * PRICES.putBlock;
}

export const totalUsd = (items: readonly CostItem[]): number => items.reduce((sum, { usd }) => sum + usd, 0);

function item(what: string, quantity: number, price: number): CostItem {
  return { what, quantity: Math.round(quantity), usd: quantity * price };
}
