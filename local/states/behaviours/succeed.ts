import type { SucceedState } from '../definition/definition';
import type { Behaviour } from './behaviour';

export const succeed: Behaviour<SucceedState> = async (_state, visit) => ({ output: visit.input });
