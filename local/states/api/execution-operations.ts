import { randomUUID } from 'node:crypto';
import type {
  DescribeExecutionInput,
  GetExecutionHistoryInput,
  ListExecutionsInput,
  StartExecutionInput,
  StopExecutionInput,
} from '@aws-sdk/client-sfn';
import { AwsError } from '../../wire';
import type { Engine } from '../executions/engine';
import { startOrFind } from '../executions/start-or-find';
import { describeExecution, historyEvent, listItem } from './describe';
import { machineOf, recordOf } from './lookups';
import { pageOf } from './page';

export const executionOperations = (engine: Engine) => ({
  StartExecution({ stateMachineArn = '', name = randomUUID(), input = '{}' }: StartExecutionInput) {
    machineOf(engine, stateMachineArn);
    const { executionArn, startDate } = startOrFind(engine, stateMachineArn, name, input);
    return { executionArn, startDate: new Date(startDate) };
  },

  async StopExecution({ executionArn = '', error, cause }: StopExecutionInput) {
    recordOf(engine, executionArn);
    engine.stop(executionArn, error, cause);
    const ended = await engine.ended(executionArn);
    return { stopDate: new Date(ended?.stopDate ?? 0) };
  },

  DescribeExecution: ({ executionArn = '' }: DescribeExecutionInput) =>
    describeExecution(recordOf(engine, executionArn)),

  ListExecutions({ stateMachineArn, mapRunArn, statusFilter, redriveFilter, ...page }: ListExecutionsInput) {
    if ((stateMachineArn === undefined) === (mapRunArn === undefined))
      throw new AwsError('ValidationException', 'Give one of stateMachineArn and mapRunArn.');
    if (stateMachineArn !== undefined) machineOf(engine, stateMachineArn);
    if (mapRunArn !== undefined && !engine.mapRun(mapRunArn))
      throw new AwsError('ResourceNotFound', `Resource not found: '${mapRunArn}'`);
    const chosen = engine
      .list()
      .filter((summary) =>
        mapRunArn === undefined
          ? summary.stateMachineArn === stateMachineArn
          : summary.mapRunArn === mapRunArn,
      )
      .filter(({ status }) => statusFilter === undefined || status === statusFilter)
      .filter(() => redriveFilter !== 'REDRIVEN')
      .reverse();
    const { items, nextToken } = pageOf(chosen, page);
    return { executions: items.map(listItem), nextToken };
  },

  GetExecutionHistory({ executionArn = '', reverseOrder = false, ...page }: GetExecutionHistoryInput) {
    recordOf(engine, executionArn);
    const events = engine.events(executionArn);
    const { items, nextToken } = pageOf(reverseOrder ? events.toReversed() : events, page);
    return { events: items.map(historyEvent), nextToken };
  },
});
