import { choice } from './behaviours/choice';
import { fail } from './behaviours/fail';
import { map } from './behaviours/map';
import { parallel } from './behaviours/parallel';
import { pass } from './behaviours/pass';
import { succeed } from './behaviours/succeed';
import { task } from './behaviours/task';
import { wait } from './behaviours/wait';
import type { RunGraph, StateResult } from './behaviours/behaviour';
import type { Branch } from './branch';
import type { State, StateGraph } from './definition/definition';
import type { EventType } from './history-event';
import type { Json, JsonObject } from './json';
import { payloadText } from './payload-limit';
import { catcherFor, Retries } from './retry';
import type { Services } from './services';
import { asStatesError, StatesError } from './states-error';
import { Visit } from './visit';

const WHOLE = { truncated: false };

/** Runs graphs of states: enter, behave, retry or catch, evaluate Output and Assign, leave. */
export class Interpreter {
  constructor(private readonly services: Services) {}

  /** The output of the last state. @throws StatesError what no state caught. */
  readonly runGraph: RunGraph = async (graph, input, branch) => {
    let name: string | undefined = graph.StartAt;
    let data = input;
    while (name !== undefined) {
      branch.signal.throwIfAborted();
      const left: { output: Json; next?: string } = await this.runState(
        name,
        stateOf(graph, name),
        data,
        branch,
      );
      data = left.output;
      name = left.next;
    }
    return data;
  };

  private async runState(
    name: string,
    state: State,
    input: Json,
    branch: Branch,
  ): Promise<{ output: Json; next?: string }> {
    const visit = new Visit(name, input, branch, this.services);
    const text = payloadText(input, 'state input');
    const entered = branch.run.note(branch.trail, `${state.Type}StateEntered` as EventType, {
      stateEnteredEventDetails: { name, input: text, inputDetails: WHOLE },
    });
    const retries = new Retries('Retry' in state ? state.Retry : [], this.services.random);
    for (;;) {
      try {
        return await this.leave(state, visit, await this.behave(state, visit));
      } catch (error) {
        branch.signal.throwIfAborted();
        const failure = asStatesError(error).in(name, entered);
        this.noteEvaluationFailure(failure, name, branch);
        const delay = retries.next(failure);
        if (delay === undefined) return await this.leaveByCatch(state, visit, failure, entered);
        await this.services.clock.sleep(delay, branch.signal);
        visit.retryCount++;
      }
    }
  }

  private behave(state: State, visit: Visit): Promise<StateResult> {
    switch (state.Type) {
      case 'Pass':
        return pass(state, visit, this.runGraph);
      case 'Succeed':
        return succeed(state, visit, this.runGraph);
      case 'Fail':
        return fail(state, visit, this.runGraph);
      case 'Wait':
        return wait(state, visit, this.runGraph);
      case 'Choice':
        return choice(state, visit, this.runGraph);
      case 'Task':
        return task(state, visit, this.runGraph);
      case 'Parallel':
        return parallel(state, visit, this.runGraph);
      case 'Map':
        return map(state, visit, this.runGraph);
    }
  }

  private async leave(state: State, visit: Visit, done: StateResult) {
    const { Output, Assign, field } = done.rule ?? { ...state, field: '' };
    const seen: JsonObject = done.result === undefined ? {} : { result: done.result };
    // Side by side: neither sees what the other makes.
    const [output, assigned] = await Promise.all([
      Output === undefined ? done.output : visit.evaluate(Output, `${field}Output`, seen),
      Assign === undefined ? undefined : visit.evaluate(Assign, `${field}Assign`, seen),
    ]);
    this.noteExit(state, visit, output, assigned as JsonObject | undefined);
    return { output, next: done.rule?.Next ?? state.Next };
  }

  private async leaveByCatch(state: State, visit: Visit, failure: StatesError, entered: number) {
    const found = catcherFor('Catch' in state ? state.Catch : [], failure);
    if (!found) throw failure;
    const { Output, Assign, Next } = found.catcher;
    const errorOutput = { Error: failure.error, Cause: failure.cause };
    try {
      const field = `Catch[${found.index}]/`;
      const [output, assigned] = await Promise.all([
        Output === undefined ? errorOutput : visit.evaluate(Output, `${field}Output`, { errorOutput }),
        Assign === undefined ? undefined : visit.evaluate(Assign, `${field}Assign`, { errorOutput }),
      ]);
      this.noteExit(state, visit, output, assigned as JsonObject | undefined);
      return { output, next: Next };
    } catch (error) {
      const second = asStatesError(error).in(visit.stateName, entered);
      this.noteEvaluationFailure(second, visit.stateName, visit.branch);
      throw second;
    }
  }

  private noteExit(state: State, visit: Visit, output: Json, assigned: JsonObject = {}): void {
    const { run, trail, variables } = visit.branch;
    const text = payloadText(output, 'state output');
    payloadText(assigned, 'value of Assign');
    variables.assign(assigned);
    const written = Object.entries(assigned).map(([name, value]) => [name, JSON.stringify(value)]);
    run.note(trail, `${state.Type}StateExited` as EventType, {
      stateExitedEventDetails: {
        name: visit.stateName,
        output: text,
        outputDetails: WHOLE,
        ...(written.length > 0 && {
          assignedVariables: Object.fromEntries(written) as Record<string, string>,
          assignedVariablesDetails: WHOLE,
        }),
      },
    });
  }

  /** Once, by the state that holds the expression, and not again by those around it. */
  private noteEvaluationFailure(failure: StatesError, name: string, { run, trail }: Branch): void {
    if (failure.error !== 'States.QueryEvaluationError' || failure.state !== name) return;
    run.note(trail, 'EvaluationFailed', {
      evaluationFailedEventDetails: {
        error: failure.error,
        cause: failure.cause,
        location: failure.location,
        state: name,
      },
    });
  }
}

function stateOf(graph: StateGraph, name: string): State {
  const state = graph.States[name];
  if (!state) throw new StatesError('States.Runtime', `There is no state '${name}'.`);
  return state;
}
