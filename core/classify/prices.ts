/**
 * What AWS asks for what a run uses, in US dollars, us-east-1, as read in November 2026. Other Regions differ by some
 * percent; free allowances are not taken off. The one place with prices.
 */
const PRICES = {
  /** https://docs.aws.amazon.com/ebs/latest/userguide/ebsapi-pricing.html */
  listSnapshotBlocksCall: 0.0006 / 1000,
  getSnapshotBlock: 0.003 / 1000,
  putSnapshotBlock: 0.006 / 1000,
  /** https://aws.amazon.com/lambda/pricing/ (arm64) */
  lambdaGbSecond: 0.0000133334,
  lambdaRequest: 0.2 / 1_000_000,
  /** https://aws.amazon.com/step-functions/pricing/ (Standard) */
  stateTransition: 0.025 / 1000,
  /** https://aws.amazon.com/ebs/pricing/ */
  snapshotGbMonth: 0.05,
  gp3GbMonth: 0.08,
  /** https://aws.amazon.com/ec2/pricing/on-demand/ (t3.small, Linux): a clone takes its original's type, so this is a guess. */
  cloneInstanceHour: 0.0208,
} as const;

/** Amounts of what is paid for. */
export interface Usage {
  readonly listSnapshotBlocksCalls: number;
  readonly getSnapshotBlocks: number;
  readonly putSnapshotBlocks: number;
  readonly lambdaGbSeconds: number;
  readonly lambdaRequests: number;
  readonly stateTransitions: number;
  readonly snapshotGbMonths: number;
  readonly gp3GbMonths: number;
  readonly cloneInstanceHours: number;
}

export const NO_USAGE: Usage = {
  listSnapshotBlocksCalls: 0,
  getSnapshotBlocks: 0,
  putSnapshotBlocks: 0,
  lambdaGbSeconds: 0,
  lambdaRequests: 0,
  stateTransitions: 0,
  snapshotGbMonths: 0,
  gp3GbMonths: 0,
  cloneInstanceHours: 0,
};

const PRICE_OF: Readonly<Record<keyof Usage, number>> = {
  listSnapshotBlocksCalls: PRICES.listSnapshotBlocksCall,
  getSnapshotBlocks: PRICES.getSnapshotBlock,
  putSnapshotBlocks: PRICES.putSnapshotBlock,
  lambdaGbSeconds: PRICES.lambdaGbSecond,
  lambdaRequests: PRICES.lambdaRequest,
  stateTransitions: PRICES.stateTransition,
  snapshotGbMonths: PRICES.snapshotGbMonth,
  gp3GbMonths: PRICES.gp3GbMonth,
  cloneInstanceHours: PRICES.cloneInstanceHour,
};

const USAGE_KEYS = Object.keys(PRICE_OF) as (keyof Usage)[];

/** What some usage costs, in US dollars; what is not given is nothing. */
export function costOf(usage: Partial<Usage>): number {
  return USAGE_KEYS.reduce((sum, key) => sum + (usage[key] ?? 0) * PRICE_OF[key], 0);
}

export function addUsage(...usages: readonly Partial<Usage>[]): Usage {
  const sum = { ...NO_USAGE } as Record<keyof Usage, number>;
  for (const usage of usages) for (const key of USAGE_KEYS) sum[key] += usage[key] ?? 0;
  return sum;
}
