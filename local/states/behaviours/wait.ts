import type { WaitState } from '../definition/definition';
import { queryError } from '../jsonata/evaluate';
import type { Behaviour } from './behaviour';

const MAX_WAIT_SECONDS = 99_999_999;

export const wait: Behaviour<WaitState> = async (state, visit) => {
  const { clock } = visit.services;
  const seconds = await visit.number(state.Seconds, 'Seconds', { maximum: MAX_WAIT_SECONDS });
  if (seconds !== undefined) {
    await clock.sleep(seconds * 1000, visit.branch.signal);
    return { output: visit.input };
  }
  const timestamp = (await visit.text(state.Timestamp, 'Timestamp')) ?? '';
  const until = Date.parse(timestamp);
  if (Number.isNaN(until))
    throw queryError(`The field 'Timestamp' must be an ISO 8601 timestamp, not '${timestamp}'.`, 'Timestamp');
  await clock.sleep(Math.max(0, until - clock.now().getTime()), visit.branch.signal);
  return { output: visit.input };
};
