import { randomUUID } from 'node:crypto';
import { itemsOfState, selectItem } from '../behaviours/map-items';
import type { StateResult } from '../behaviours/behaviour';
import type { MapItem } from '../branch';
import type { MapState, StateGraph } from '../definition/definition';
import type { Json } from '../json';
import { StatesError } from '../states-error';
import type { Visit } from '../visit';
import type { ChildResult } from './child-result';
import { batchItems, type Batch } from './item-batcher';
import { readItems } from './item-reader';
import type { MapRun } from './map-run';
import { writeResults } from './result-writer';

/** Most children at once when MaxConcurrency is 0 (Step Functions service quotas). */
const MAX_CHILDREN = 10_000;

/** Runs every item or batch as an execution of its own, up to the tolerated number of failures. */
export async function distributedMap(state: MapState, visit: Visit): Promise<StateResult> {
  const { run, trail, signal } = visit.branch;
  const given = state.ItemReader ? undefined : await itemsOfState(state, visit, 'STATE_DATA');
  run.note(trail, 'MapStateStarted', { mapStateStartedEventDetails: { length: given?.length ?? 0 } });
  const mapRun = await openMapRun(state, visit);
  const { mapRunArn } = mapRun.document;
  const opened = run.note(trail, 'MapRunStarted', { mapRunStartedEventDetails: { mapRunArn } });
  try {
    const batches = await batchesOf(state, visit, given);
    mapRun.itemsKnown(batches.map(({ itemCount }) => itemCount));
    const results = await runChildren(visit, mapRun, batches);
    const output = await outputOf(state, visit, mapRun, results);
    if (mapRun.toleranceExceeded) {
      throw new StatesError(
        'States.ExceedToleratedFailureThreshold',
        'The specified tolerated failure threshold was exceeded',
      );
    }
    mapRun.end('SUCCEEDED', visit.services.clock.now());
    run.note(trail, 'MapRunSucceeded');
    run.note(trail, 'MapStateSucceeded');
    // AWS links the exit of the state to the start of the Map Run.
    trail.lastEventId = opened;
    return { output, result: output };
  } catch (error) {
    mapRun.end(signal.aborted ? 'ABORTED' : 'FAILED', visit.services.clock.now());
    signal.throwIfAborted();
    if (error instanceof StatesError) {
      run.note(trail, 'MapRunFailed', {
        mapRunFailedEventDetails: { error: error.error, cause: error.cause },
      });
    }
    run.note(trail, 'MapStateFailed');
    throw error;
  } finally {
    visit.services.mapRuns.closed(mapRun);
  }
}

/** What a child runs: the ItemProcessor without ProcessorConfig. */
function processorOf({ ItemProcessor }: MapState): StateGraph {
  const { ProcessorConfig: _mode, ...graph } = ItemProcessor;
  return graph;
}

async function openMapRun(state: MapState, visit: Visit): Promise<MapRun> {
  const { run } = visit.branch;
  const label = state.Label ?? visit.stateName.replace(/[^A-Za-z0-9_-]/g, '').slice(0, 40);
  const machine = `${run.stateMachineName}/${label}`;
  const [arn, , , region, account] = run.stateMachineArn.split(':');
  return visit.services.mapRuns.open({
    mapRunArn: `${arn}:aws:states:${region}:${account}:mapRun:${machine}:${randomUUID()}`,
    executionArn: run.executionArn,
    stateMachineArn: `${arn}:aws:states:${region}:${account}:stateMachine:${machine}`,
    definition: processorOf(state),
    maxConcurrency: (await visit.number(state.MaxConcurrency, 'MaxConcurrency')) ?? 0,
    toleratedFailurePercentage:
      (await visit.number(state.ToleratedFailurePercentage, 'ToleratedFailurePercentage', {
        maximum: 100,
        whole: false,
      })) ?? 0,
    toleratedFailureCount: (await visit.number(state.ToleratedFailureCount, 'ToleratedFailureCount')) ?? 0,
  });
}

async function batchesOf(state: MapState, visit: Visit, given: MapItem[] = []): Promise<Batch[]> {
  const items = state.ItemReader ? await readItems(state.ItemReader, visit) : given;
  const inputs: Json[] = [];
  for (const item of items) inputs.push(await selectItem(state, visit, item));
  return batchItems(state.ItemBatcher, inputs, visit);
}

/** Starts children in order until all have run or more have failed than may; then the running ones are aborted. */
async function runChildren(visit: Visit, mapRun: MapRun, batches: readonly Batch[]): Promise<ChildResult[]> {
  const { run, signal } = visit.branch;
  const exceeded = new AbortController();
  const either = AbortSignal.any([signal, exceeded.signal]);
  const results: ChildResult[] = batches.map(({ input }) => ({ input }));
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < batches.length && !either.aborted) {
      const index = next++;
      const { input, itemCount } = batches[index] as Batch;
      const child = await visit.services.mapRuns.runChild({
        mapRun,
        parent: run,
        input,
        itemCount,
        signal: either,
        started: () => mapRun.childStarted(itemCount),
      });
      mapRun.childEnded(child.status, itemCount);
      results[index] = { input, child };
      if (mapRun.toleranceExceeded) exceeded.abort(new StatesError('States.ExceedToleratedFailureThreshold'));
    }
  };
  const workers = Math.min(batches.length, mapRun.document.maxConcurrency || MAX_CHILDREN);
  await Promise.all(Array.from({ length: workers }, worker));
  signal.throwIfAborted();
  return results;
}

async function outputOf(
  state: MapState,
  visit: Visit,
  mapRun: MapRun,
  results: readonly ChildResult[],
): Promise<Json> {
  if (state.ResultWriter) {
    const output = await writeResults(state.ResultWriter, visit, mapRun, results);
    mapRun.resultsWritten();
    return output;
  }
  mapRun.resultsWritten();
  return results
    .filter(({ child }) => child?.status === 'SUCCEEDED')
    .map(({ child }) => JSON.parse(child?.output ?? 'null') as Json);
}
