import type { DescribeMapRunInput, ListMapRunsInput } from '@aws-sdk/client-sfn';
import { AwsError } from '../../wire';
import type { Engine } from '../executions/engine';
import { describeMapRun } from './describe';
import { recordOf } from './lookups';
import { pageOf } from './page';

export const mapRunOperations = (engine: Engine) => ({
  ListMapRuns({ executionArn = '', ...page }: ListMapRunsInput) {
    recordOf(engine, executionArn);
    const { items, nextToken } = pageOf(engine.mapRuns.ofExecution(executionArn).toReversed(), page);
    return {
      mapRuns: items.map(({ mapRunArn, stateMachineArn, startDate, stopDate }) => ({
        executionArn,
        mapRunArn,
        stateMachineArn,
        startDate: new Date(startDate),
        ...(stopDate !== undefined && { stopDate: new Date(stopDate) }),
      })),
      nextToken,
    };
  },

  DescribeMapRun({ mapRunArn = '' }: DescribeMapRunInput) {
    const document = engine.mapRun(mapRunArn);
    if (!document) throw new AwsError('ResourceNotFound', `Resource not found: '${mapRunArn}'`);
    return describeMapRun(document);
  },
});
