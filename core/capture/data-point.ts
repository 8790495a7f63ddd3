import type { Image } from '../image/image';
import type { PathSummary } from '../recording/summarize-recording';
import { type Variation, variationOf } from '../variation/variation';

/** One machine on which the update was run. */
export interface DataPoint {
  readonly before: Image;
  readonly after: Image;
  /** By what it differs from its twins, before and after. */
  readonly was: Variation;
  readonly is: Variation;
  /** What its recording tells of a path; undefined when it was not recorded, or not whole. */
  readonly recorded?: (path: string) => PathSummary | undefined;
  /** Where this machine has what stands at a path of the representative, in whose path its own values may stand. */
  readonly pathOf: (path: string) => string;
}

export async function dataPoint(
  before: Image,
  after: Image,
  recorded?: DataPoint['recorded'],
): Promise<DataPoint> {
  return {
    before,
    after,
    was: await variationOf(before),
    is: await variationOf(after),
    recorded,
    pathOf: (path) => path,
  };
}
