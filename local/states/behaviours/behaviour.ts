import type { Branch } from '../branch';
import type { StateGraph } from '../definition/definition';
import type { Json, JsonObject } from '../json';
import type { Visit } from '../visit';

/** What a state did, before its Output and Assign are evaluated. */
export interface StateResult {
  /** The state's output when it writes no Output of its own. */
  readonly output: Json;
  /** `$states.result`, where the state has one. */
  readonly result?: Json;
  /** In place of the state's own Next, Output and Assign: the choice rule that matched. */
  readonly rule?: { Next: string; Output?: Json; Assign?: JsonObject; field: string };
}

export type RunGraph = (graph: StateGraph, input: Json, branch: Branch) => Promise<Json>;

/** One state type. */
export type Behaviour<S> = (state: S, visit: Visit, runGraph: RunGraph) => Promise<StateResult>;
