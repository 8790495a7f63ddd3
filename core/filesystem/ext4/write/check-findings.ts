import type { BlockRun } from './block-allocator';

/** Blocks that an inode claims. */
export interface Claim extends BlockRun {
  readonly inode: number;
}

/** A problem, unless what is noted and what is counted agree. */
export function differs(what: string, noted: number, counted: number): string[] {
  return noted === counted ? [] : [`${what}: noted ${noted}, counted ${counted}`];
}
