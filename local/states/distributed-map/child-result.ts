import type { Json, JsonObject } from '../json';
import type { ExecutionRecord } from '../executions/execution-record';

/** One item or batch of a Map Run after the run: the child that took it, or none when it never started. */
export interface ChildResult {
  readonly input: Json;
  readonly child?: ExecutionRecord;
}

export type ResultKind = 'SUCCEEDED' | 'FAILED' | 'PENDING';

export const kindOf = ({ child }: ChildResult): ResultKind => {
  if (!child) return 'PENDING';
  return child.status === 'SUCCEEDED' ? 'SUCCEEDED' : 'FAILED';
};

const ENDED_REASON = (status: string): string => `Execution is ${status} and cannot be redriven`;

/** A child as a result file tells it: capitalised keys, ISO dates, input and output as JSON text. */
export function describeChild({ input, child }: ChildResult): JsonObject {
  const details = { Included: true };
  if (!child) return { Input: JSON.stringify(input), InputDetails: details, Status: 'PENDING' };
  const succeeded = child.status === 'SUCCEEDED';
  return {
    ...(child.cause !== undefined && { Cause: child.cause }),
    ...(child.error !== undefined && { Error: child.error }),
    ExecutionArn: child.executionArn,
    Input: child.input,
    InputDetails: details,
    Name: child.name,
    ...(child.output !== undefined && { Output: child.output, OutputDetails: details }),
    RedriveCount: child.redriveCount,
    RedriveStatus: succeeded ? 'NOT_REDRIVABLE' : 'REDRIVABLE_BY_MAP_RUN',
    ...(succeeded && { RedriveStatusReason: ENDED_REASON(child.status) }),
    StartDate: new Date(child.startDate).toISOString(),
    StateMachineArn: child.stateMachineArn,
    Status: child.status,
    StopDate: new Date(child.stopDate ?? child.startDate).toISOString(),
  };
}
