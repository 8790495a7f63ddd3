export type ExecutionStatus = 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'TIMED_OUT' | 'ABORTED';

/** One execution as it is kept on disk. Dates are milliseconds since 1970; input and output are JSON text. */
export interface ExecutionRecord {
  readonly executionArn: string;
  readonly stateMachineArn: string;
  readonly name: string;
  readonly input: string;
  readonly startDate: number;
  readonly redriveCount: number;
  status: ExecutionStatus;
  stopDate?: number;
  output?: string;
  error?: string;
  cause?: string;
  /** Children of a Distributed Map only. */
  readonly mapRunArn?: string;
  readonly itemCount?: number;
}

/** What lists need; kept in memory for every execution, while the rest is read from disk. */
export type ExecutionSummary = Pick<
  ExecutionRecord,
  | 'executionArn'
  | 'stateMachineArn'
  | 'name'
  | 'status'
  | 'startDate'
  | 'stopDate'
  | 'mapRunArn'
  | 'itemCount'
>;

export const summaryOf = (record: ExecutionRecord): ExecutionSummary => {
  const { executionArn, stateMachineArn, name, status, startDate, stopDate, mapRunArn, itemCount } = record;
  return { executionArn, stateMachineArn, name, status, startDate, stopDate, mapRunArn, itemCount };
};
