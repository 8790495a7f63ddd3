import type { FailState } from '../definition/definition';
import { StatesError } from '../states-error';
import type { Behaviour } from './behaviour';

export const fail: Behaviour<FailState> = async (state, visit) => {
  const error = await visit.text(state.Error, 'Error');
  const cause = await visit.text(state.Cause, 'Cause');
  throw new StatesError(error ?? '', cause ?? '', { state: visit.stateName });
};
