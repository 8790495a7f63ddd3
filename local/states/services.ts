import type { Clock } from '../clock';
import type { ExecutionRun } from './branch';
import type { ExecutionRecord } from './executions/execution-record';
import type { Integrations } from './integrations/integration';
import type { Json } from './json';
import type { MapRun, MapRunFacts } from './distributed-map/map-run';

/** S3 as far as item readers and result writers need it. Throws errors whose `name` is the S3 error code. */
export interface ObjectStore {
  get(bucket: string, key: string): Promise<Buffer>;
  put(bucket: string, key: string, body: Buffer): Promise<void>;
}

/** Runs the items of a Distributed Map as executions of their own. */
export interface MapRuns {
  open(facts: Omit<MapRunFacts, 'startDate'>): MapRun;
  /** Writes down how the run ended. */
  closed(mapRun: MapRun): void;
  /** Resolves when the child has ended, however it ended. */
  runChild(child: MapRunChild): Promise<ExecutionRecord>;
}

export interface MapRunChild {
  readonly mapRun: MapRun;
  readonly parent: ExecutionRun;
  readonly input: Json;
  readonly itemCount: number;
  readonly signal: AbortSignal;
  readonly started: () => void;
}

/** What states need from outside of the language. */
export interface Services {
  /** Waits, retry intervals and the times in histories. */
  readonly clock: Clock;
  /** `TimeoutSeconds`: real work takes real time also when the clock is sped up. */
  readonly deadlineClock: Clock;
  /** Jitter of retries, in [0, 1). */
  readonly random: () => number;
  readonly region: string;
  readonly integrations: Integrations;
  readonly objects: ObjectStore;
  readonly mapRuns: MapRuns;
}
