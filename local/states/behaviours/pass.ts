import type { PassState } from '../definition/definition';
import type { Behaviour } from './behaviour';

export const pass: Behaviour<PassState> = async (_state, visit) => ({ output: visit.input });
