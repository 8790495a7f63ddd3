import type { HistoryEvent } from '@aws-sdk/client-sfn';

/** An event of an execution's history in the shape of the API, its time as milliseconds so that it survives JSON. */
export type StoredEvent = Omit<HistoryEvent, 'timestamp'> & { timestamp: number };

export type EventDetails = Omit<HistoryEvent, 'timestamp' | 'type' | 'id' | 'previousEventId'>;
export type EventType = NonNullable<HistoryEvent['type']>;

/** The most events an execution may have (Step Functions service quotas). */
export const MAX_EVENTS = 25_000;

/** One thread of events: a branch or an iteration continues from its own last event, not from the last one written. */
export class EventTrail {
  constructor(public lastEventId = 0) {}

  fork(): EventTrail {
    return new EventTrail(this.lastEventId);
  }
}
