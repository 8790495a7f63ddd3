import { runTogether } from '../abort';
import type { MapState } from '../definition/definition';
import { copyOf } from '../json';
import { Variables } from '../variables';
import type { Behaviour } from './behaviour';
import { itemsOfState, selectItem } from './map-items';

/** Inline iterations share the execution's history, and run at most 40 at once (Step Functions service quotas). */
const MAX_INLINE_CONCURRENCY = 40;

export const inlineMap: Behaviour<MapState> = async (state, visit, runGraph) => {
  const { run, variables, trail, signal } = visit.branch;
  const name = visit.stateName;
  const items = await itemsOfState(state, visit);
  const concurrency = (await visit.number(state.MaxConcurrency, 'MaxConcurrency')) || MAX_INLINE_CONCURRENCY;
  const started = run.note(trail, 'MapStateStarted', {
    mapStateStartedEventDetails: { length: items.length },
  });
  const iterations = items.map((item) => async (inner: AbortSignal) => {
    const { index } = item;
    const own = trail.fork();
    const input = await selectItem(state, visit, item);
    run.note(own, 'MapIterationStarted', { mapIterationStartedEventDetails: { name, index } });
    try {
      const branch = { run, variables: new Variables(variables), trail: own, signal: inner, mapItem: item };
      const output = await runGraph(state.ItemProcessor, copyOf(input), branch);
      run.note(own, 'MapIterationSucceeded', { mapIterationSucceededEventDetails: { name, index } });
      return output;
    } catch (error) {
      if (inner.aborted)
        run.note(own, 'MapIterationAborted', { mapIterationAbortedEventDetails: { name, index } });
      else run.note(own, 'MapIterationFailed', { mapIterationFailedEventDetails: { name, index } });
      throw error;
    }
  });
  try {
    const results = await runTogether(iterations, concurrency, signal);
    trail.lastEventId = started;
    run.note(trail, 'MapStateSucceeded');
    return { output: results, result: results };
  } catch (error) {
    signal.throwIfAborted();
    run.note(trail, 'MapStateFailed');
    throw error;
  }
};
