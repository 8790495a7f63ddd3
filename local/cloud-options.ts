import type { Machines } from './instances/machines';
import type { Timings } from './state';

export interface LocalCloudOptions {
  /** Everything the cloud knows is kept below it: buckets, disks, executions, logs, the event log. */
  readonly stateFolder: string;
  /** Loopback port; 0 for any free one. @default 0 */
  readonly port?: number;
  /** How many times as fast as the machine's clock waits and transitions go. Functions run in real time. @default 1 */
  readonly speed?: number;
  /** Lambda invocations at once. @default two for each processor, and no more than memory allows */
  readonly concurrency?: number;
  /** Environment of every function, beside what its template gives it: what a container image would bring along. */
  readonly functionVariables?: Readonly<Record<string, string>>;
  /** Behind running instances: those given, or `imaginary` ones that are on or off and do nothing else. @default real ones: systemd-nspawn */
  readonly machines?: Machines | 'imaginary';
  /** What machines reach as web sites, by host name: folders, such as a package repository. Real machines only. */
  readonly sites?: Readonly<Record<string, string>>;
  /** A proxy that machines go out through. Real machines only. */
  readonly upstreamProxy?: string;
  /** `memory` keeps volumes in memory, for tests without root. @default disk */
  readonly storage?: 'disk' | 'memory';
  /** How long transitions take. */
  readonly timings?: Partial<Timings>;
}
