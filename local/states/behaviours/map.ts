import { isDistributed, type MapState } from '../definition/definition';
import { distributedMap } from '../distributed-map/distributed-map';
import type { Behaviour } from './behaviour';
import { inlineMap } from './inline-map';

export const map: Behaviour<MapState> = (state, visit, runGraph) =>
  isDistributed(state) ? distributedMap(state, visit) : inlineMap(state, visit, runGraph);
