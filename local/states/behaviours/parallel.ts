import { runTogether } from '../abort';
import type { ParallelState } from '../definition/definition';
import { copyOf } from '../json';
import { Variables } from '../variables';
import type { Behaviour } from './behaviour';

export const parallel: Behaviour<ParallelState> = async (state, visit, runGraph) => {
  const { run, variables, trail, signal, mapItem } = visit.branch;
  const input =
    state.Arguments === undefined ? visit.input : await visit.evaluate(state.Arguments, 'Arguments');
  const started = run.note(trail, 'ParallelStateStarted');
  const branches = state.Branches.map((graph) => (inner: AbortSignal) => {
    const branchTrail = trail.fork();
    const branch = { run, variables: new Variables(variables), trail: branchTrail, signal: inner, mapItem };
    return runGraph(graph, copyOf(input), branch);
  });
  try {
    const results = await runTogether(branches, 0, signal);
    trail.lastEventId = started;
    run.note(trail, 'ParallelStateSucceeded');
    return { output: results, result: results };
  } catch (error) {
    signal.throwIfAborted();
    run.note(trail, 'ParallelStateFailed');
    throw error;
  }
};
