import type { AroundCall } from '../wire';
import { aboutOf, type EventLog } from './event-log';

/** Notes every call of a service in the event log, with the error it was answered with. */
export const loggedCalls =
  (events: EventLog, service: string): AroundCall =>
  async ({ operation, input }, next) => {
    const about = aboutOf(input);
    try {
      const answer = await next();
      events.add({ type: 'call', service, operation, about });
      return answer;
    } catch (error) {
      events.add({
        type: 'call',
        service,
        operation,
        about,
        error: error instanceof Error ? error.name : 'Error',
      });
      throw error;
    }
  };
