import { createWriteStream, type WriteStream } from 'node:fs';
import { finished } from 'node:stream/promises';
import type { Clock } from '../clock';

/** One call of an AWS API, as it was answered. */
export interface CallEvent {
  readonly type: 'call';
  readonly time: string;
  readonly service: string;
  readonly operation: string;
  /** The ids and names in the input that say what the call was about. */
  readonly about: Readonly<Record<string, unknown>>;
  /** Error code of the answer. */
  readonly error?: string;
}

/** An instance changed its state. The absence of such an event is the proof that an instance was never started. */
export interface InstanceStateEvent {
  readonly type: 'instance-state';
  readonly time: string;
  readonly instanceId: string;
  readonly from: string;
  readonly to: string;
  readonly reason: string;
}

export type CloudEvent = CallEvent | InstanceStateEvent;

type Untimed<T> = T extends unknown ? Omit<T, 'time'> : never;

/** What happened in the embedded cloud, one JSON object a line, appended for ever. */
export class EventLog {
  private readonly stream: WriteStream | undefined;

  /** Without a file the events are only counted by whoever listens: for tests. */
  constructor(
    private readonly clock: Clock,
    file?: string,
    private readonly listener?: (event: CloudEvent) => void,
  ) {
    this.stream = file === undefined ? undefined : createWriteStream(file, { flags: 'a' });
  }

  add(event: Untimed<CloudEvent>): void {
    const timed = { time: this.clock.now().toISOString(), ...event } as CloudEvent;
    this.stream?.write(`${JSON.stringify(timed)}\n`);
    this.listener?.(timed);
  }

  async close(): Promise<void> {
    if (!this.stream) return;
    this.stream.end();
    await finished(this.stream);
  }
}

/** The members of an input that name what a call is about: ids, names, keys and states; never contents. */
export function aboutOf(input: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(input).filter(
      ([name, value]) =>
        /(Ids?|Index|Name|Key|Bucket|Device|Arn|Count|DryRun)$/i.test(name) &&
        (typeof value !== 'object' || Array.isArray(value)),
    ),
  );
}
