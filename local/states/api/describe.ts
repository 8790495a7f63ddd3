import type {
  DescribeExecutionOutput,
  DescribeMapRunOutput,
  ExecutionListItem,
  HistoryEvent,
} from '@aws-sdk/client-sfn';
import type { MapRunDocument } from '../distributed-map/map-run';
import type { ExecutionRecord, ExecutionSummary } from '../executions/execution-record';
import type { StoredEvent } from '../history-event';

const INCLUDED = { included: true };

export function describeExecution(record: ExecutionRecord): DescribeExecutionOutput {
  return {
    executionArn: record.executionArn,
    stateMachineArn: record.stateMachineArn,
    name: record.name,
    status: record.status,
    startDate: new Date(record.startDate),
    ...(record.stopDate !== undefined && { stopDate: new Date(record.stopDate) }),
    input: record.input,
    inputDetails: INCLUDED,
    ...(record.output !== undefined && { output: record.output, outputDetails: INCLUDED }),
    error: record.error,
    cause: record.cause,
    mapRunArn: record.mapRunArn,
    ...redriveOf(record),
  };
}

/** Nothing can be redriven here: the answer says so instead of promising it. */
function redriveOf({ status, redriveCount }: ExecutionRecord) {
  const reason =
    status === 'RUNNING' || status === 'SUCCEEDED'
      ? `Execution is ${status} and cannot be redriven`
      : 'RedriveExecution is not emulated';
  return { redriveCount, redriveStatus: 'NOT_REDRIVABLE' as const, redriveStatusReason: reason };
}

export function listItem(summary: ExecutionSummary): ExecutionListItem {
  return {
    executionArn: summary.executionArn,
    stateMachineArn: summary.stateMachineArn,
    name: summary.name,
    status: summary.status,
    startDate: new Date(summary.startDate),
    ...(summary.stopDate !== undefined && { stopDate: new Date(summary.stopDate) }),
    mapRunArn: summary.mapRunArn,
    itemCount: summary.itemCount,
    redriveCount: 0,
  };
}

export function describeMapRun(document: MapRunDocument): DescribeMapRunOutput {
  const { mapRunArn, executionArn, status, startDate, stopDate } = document;
  return {
    mapRunArn,
    executionArn,
    status,
    startDate: new Date(startDate),
    ...(stopDate !== undefined && { stopDate: new Date(stopDate) }),
    maxConcurrency: document.maxConcurrency,
    toleratedFailurePercentage: document.toleratedFailurePercentage,
    toleratedFailureCount: document.toleratedFailureCount,
    itemCounts: document.itemCounts,
    executionCounts: document.executionCounts,
    redriveCount: 0,
  };
}

export const historyEvent = (event: StoredEvent): HistoryEvent => ({
  ...event,
  timestamp: new Date(event.timestamp),
});
