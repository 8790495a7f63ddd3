import { aboutOf, type EventLog } from './state/event-log';
import type { AroundCall } from './wire';

/** Writes every call of a service into the event log, with what it was about and how it failed. */
export const logCalls =
  (events: EventLog, service: string): AroundCall =>
  async ({ operation, input }, next) => {
    const call = { type: 'call' as const, service, operation, about: aboutOf(input) };
    try {
      const output = await next();
      events.add(call);
      return output;
    } catch (error) {
      events.add({ ...call, error: error instanceof Error ? error.name : String(error) });
      throw error;
    }
  };
