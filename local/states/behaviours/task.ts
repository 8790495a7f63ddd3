import { orAborted, withDeadline } from '../abort';
import type { TaskState } from '../definition/definition';
import { taskEvents } from '../integrations/task-events';
import { payloadText } from '../payload-limit';
import { asStatesError, StatesError } from '../states-error';
import type { Behaviour } from './behaviour';

export const task: Behaviour<TaskState> = async (state, visit) => {
  const { run, trail, signal } = visit.branch;
  const { integrations, deadlineClock, region } = visit.services;
  const integration = integrations.find(state.Resource);
  if (!integration)
    throw new StatesError('States.Runtime', `The resource ${state.Resource} is not supported.`);
  const input =
    state.Arguments === undefined ? visit.input : await visit.evaluate(state.Arguments, 'Arguments');
  const timeoutSeconds = await visit.number(state.TimeoutSeconds, 'TimeoutSeconds', { minimum: 1 });
  const events = taskEvents(integration.name, (type, details) => run.note(trail, type, details));
  events.scheduled(payloadText(input, 'task input'), region, timeoutSeconds);
  try {
    const result = await withDeadline(timeoutSeconds, deadlineClock, signal, (inner) => {
      events.started();
      const call = integration.call(input, {
        signal: inner,
        executionArn: run.executionArn,
        submitted: events.submitted,
      });
      return orAborted(call, inner);
    });
    events.succeeded(payloadText(result, 'task result'));
    return { output: result, result };
  } catch (error) {
    signal.throwIfAborted();
    const failure = asStatesError(error);
    events.failed(failure);
    throw failure;
  }
};
