/**
 * Prices in US dollars, us-east-1, as the service's own price pages had them in 2026. A report says "about": other Regions
 * differ by some percent, and free tiers and discounts are not known here.
 */
export const PRICES = {
  /** EBS direct APIs, per request: https://docs.aws.amazon.com/ebs/latest/userguide/ebsapi-pricing.html */
  listCall: 0.0006 / 1000,
  getBlock: 0.003 / 1000,
  putBlock: 0.006 / 1000,
  /** Lambda on arm64, per GB-second. */
  lambdaGbSecond: 0.0000133334,
  /** Standard workflows, per state transition. */
  stateTransition: 0.025 / 1000,
  /** gp3, per GiB and month: what a kept old volume costs. */
  volumeGibMonth: 0.08,
} as const;

/** Memory of the functions that read and write blocks, in GB: nearly all of a run's Lambda time is theirs. */
export const BLOCK_STEP_GB = 3008 / 1024;

/** State transitions of one machine from snapshot to released lease, with a few waits at each: counted in the definitions. */
export const TRANSITIONS_PER_MACHINE = 60;

export const DAYS_PER_MONTH = 30;
