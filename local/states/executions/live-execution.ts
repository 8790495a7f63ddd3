import type { Clock } from '../../clock';
import type { ExecutionRun } from '../branch';
import {
  EventTrail,
  MAX_EVENTS,
  type EventDetails,
  type EventType,
  type StoredEvent,
} from '../history-event';
import type { Json } from '../json';
import { asStatesError, ExecutionStopped, ExecutionTimedOut, StatesError } from '../states-error';
import type { ExecutionRecord } from './execution-record';
import type { ExecutionStore } from './execution-store';

const WHOLE = { truncated: false };

/** An execution while it runs: its record, its history so far, and the way to stop it. */
export class LiveExecution implements ExecutionRun {
  readonly trail = new EventTrail();
  readonly events: StoredEvent[];
  private readonly stopper = new AbortController();
  private unwritten: StoredEvent[] = [];

  constructor(
    readonly record: ExecutionRecord,
    readonly input: Json,
    readonly stateMachineName: string,
    readonly roleArn: string,
    private readonly store: ExecutionStore,
    private readonly clock: Clock,
  ) {
    this.events = [];
    store.save(record);
    // Not on the trail: AWS links the first state to 0.
    this.note(new EventTrail(), 'ExecutionStarted', {
      executionStartedEventDetails: { input: record.input, inputDetails: WHOLE, roleArn },
    });
  }

  get executionArn(): string {
    return this.record.executionArn;
  }
  get name(): string {
    return this.record.name;
  }
  get startDate(): Date {
    return new Date(this.record.startDate);
  }
  get stateMachineArn(): string {
    return this.record.stateMachineArn;
  }
  get redriveCount(): number {
    return this.record.redriveCount;
  }
  get signal(): AbortSignal {
    return this.stopper.signal;
  }

  stop(error?: string, cause?: string): void {
    this.stopper.abort(new ExecutionStopped(error, cause));
  }

  note(trail: EventTrail, type: EventType, details: EventDetails = {}): number {
    if (this.events.length >= MAX_EVENTS - 1) {
      const cause = `The execution reached the maximum number of history events (${MAX_EVENTS}).`;
      throw new StatesError('States.Runtime', cause);
    }
    return this.write(trail, type, details);
  }

  succeed(output: string): void {
    this.write(this.trail, 'ExecutionSucceeded', {
      executionSucceededEventDetails: { output, outputDetails: WHOLE },
    });
    this.end({ status: 'SUCCEEDED', output });
  }

  /** Ends with what stopped it: a failure no state caught, a stop from outside, or its own time-out. */
  fail(reason: unknown): void {
    if (reason instanceof ExecutionStopped) {
      const { error, cause } = reason;
      this.write(this.trail, 'ExecutionAborted', { executionAbortedEventDetails: { error, cause } });
      return this.end({ status: 'ABORTED', error, cause });
    }
    if (reason instanceof ExecutionTimedOut) {
      const details = { error: 'States.Timeout' };
      this.write(this.trail, 'ExecutionTimedOut', { executionTimedOutEventDetails: details });
      // As on AWS, only the history tells the error's name.
      return this.end({ status: 'TIMED_OUT' });
    }
    const failure = asStatesError(reason);
    const told = { error: failure.error || undefined, cause: failure.cause || undefined };
    this.write(this.trail, 'ExecutionFailed', { executionFailedEventDetails: told });
    this.end({ status: 'FAILED', ...told });
  }

  private end(outcome: Partial<ExecutionRecord>): void {
    Object.assign(this.record, outcome, { stopDate: this.clock.now().getTime() });
    this.flush();
    this.store.save(this.record);
  }

  private write(trail: EventTrail, type: EventType, details: EventDetails): number {
    const id = this.events.length + 1;
    const timestamp = this.clock.now().getTime();
    const event = { timestamp, type, id, previousEventId: trail.lastEventId, ...details };
    trail.lastEventId = id;
    this.events.push(event);
    if (this.unwritten.push(event) === 1) setImmediate(() => this.flush());
    return id;
  }

  private flush(): void {
    if (this.unwritten.length === 0) return;
    const events = this.unwritten;
    this.unwritten = [];
    this.store.append(this.executionArn, events);
  }
}
