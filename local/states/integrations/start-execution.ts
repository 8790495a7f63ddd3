import { randomUUID } from 'node:crypto';
import type { ExecutionRecord } from '../executions/execution-record';
import { startOrFind } from '../executions/start-or-find';
import type { StateMachine } from '../executions/state-machine';
import { isJsonObject, type Json, type JsonObject } from '../json';
import { asStatesError, StatesError } from '../states-error';
import type { Integration } from './integration';

/** The engine as nested executions need it. */
export interface ExecutionTarget {
  readonly stateMachines: ReadonlyMap<string, StateMachine>;
  record(executionArn: string): ExecutionRecord | undefined;
  start(machine: StateMachine, name: string, input: Json): ExecutionRecord;
  ended(executionArn: string): Promise<ExecutionRecord | undefined>;
  stop(executionArn: string, error?: string, cause?: string): void;
}

/** `states:startExecution`: at once, or waiting for the end with the output as text (`sync`) or parsed (`sync:2`). */
export const startExecution = (
  target: ExecutionTarget,
  mode: 'request' | 'sync' | 'sync:2',
): Integration => ({
  name: { type: 'states', resource: mode === 'request' ? 'startExecution' : `startExecution.${mode}` },
  async call(input, { signal, submitted }) {
    const record = begin(target, input);
    const { executionArn } = record;
    const started = { ExecutionArn: executionArn, StartDate: new Date(record.startDate).toISOString() };
    if (mode === 'request') return started;
    submitted(started);
    const stop = (): void =>
      target.stop(executionArn, undefined, 'The execution that waits for this one was stopped.');
    signal.addEventListener('abort', stop, { once: true });
    try {
      const ended = (await target.ended(executionArn)) ?? record;
      if (ended.status !== 'SUCCEEDED')
        throw new StatesError('States.TaskFailed', JSON.stringify(describe(ended)));
      const told = describe(ended);
      if (mode === 'sync') return told;
      return {
        ...told,
        Input: JSON.parse(ended.input) as Json,
        Output: JSON.parse(ended.output ?? 'null') as Json,
      };
    } finally {
      signal.removeEventListener('abort', stop);
    }
  },
});

function begin(target: ExecutionTarget, input: Json): ExecutionRecord {
  const { StateMachineArn, Name, Input = {} } = isJsonObject(input) ? input : {};
  if (typeof StateMachineArn !== 'string')
    throw new StatesError('States.Runtime', 'states:startExecution needs a StateMachineArn.');
  const name = typeof Name === 'string' ? Name : randomUUID();
  const text = typeof Input === 'string' ? Input : JSON.stringify(Input);
  try {
    return startOrFind(target, StateMachineArn, name, text);
  } catch (error) {
    if (error instanceof Error && 'status' in error)
      throw new StatesError(
        `StepFunctions.${error.name}Exception`,
        `${error.message} (Service: AWSStepFunctions)`,
      );
    throw asStatesError(error);
  }
}

const describe = (record: ExecutionRecord): JsonObject => ({
  ...(record.cause !== undefined && { Cause: record.cause }),
  ...(record.error !== undefined && { Error: record.error }),
  ExecutionArn: record.executionArn,
  Input: record.input,
  InputDetails: { Included: true },
  Name: record.name,
  ...(record.output !== undefined && { Output: record.output }),
  OutputDetails: { Included: true },
  StartDate: record.startDate,
  StateMachineArn: record.stateMachineArn,
  Status: record.status,
  ...(record.stopDate !== undefined && { StopDate: record.stopDate }),
});
