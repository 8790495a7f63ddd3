import { Duration } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import type * as sns from 'aws-cdk-lib/aws-sns';
import type * as sqs from 'aws-cdk-lib/aws-sqs';
import type { StateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';

export interface RunAlarmsProps {
  readonly patchFleet: StateMachine;
  readonly rollBackRun: StateMachine;
  readonly keepHouse: StateMachine;
  readonly deadLetterQueue: sqs.IQueue;
  readonly topic: sns.ITopic | undefined;
}

/** A person is told when a run, a roll back or housekeeping failed, or a schedule could not start its run. */
export class RunAlarms extends Construct {
  constructor(
    scope: Construct,
    id: string,
    { patchFleet, rollBackRun, keepHouse, deadLetterQueue, topic }: RunAlarmsProps,
  ) {
    super(scope, id);
    const period = Duration.minutes(5);
    const watched: [string, cloudwatch.Metric, string][] = [
      [
        'RunFailed',
        patchFleet.metricFailed({ period }),
        'A run failed: open the execution in the Step Functions console; its cause names the report',
      ],
      [
        'RunAborted',
        patchFleet.metricAborted({ period }),
        'A run was stopped by hand: roll-back-run puts back what it left half done',
      ],
      [
        'RollBackFailed',
        rollBackRun.metricFailed({ period }),
        'A roll back failed: the cause of the execution names the machines',
      ],
      [
        'HousekeepingFailed',
        keepHouse.metricFailed({ period }),
        'Housekeeping failed: the cause of the execution names volumes, runs, and machines that need a roll back',
      ],
      [
        'ScheduleFailed',
        deadLetterQueue.metricApproximateNumberOfMessagesVisible({ period, statistic: 'Maximum' }),
        'A schedule could not start its execution: the messages in the dead-letter queue say why',
      ],
    ];
    for (const [name, metric, alarmDescription] of watched) {
      const alarm = new cloudwatch.Alarm(this, name, {
        metric,
        alarmDescription,
        threshold: 1,
        evaluationPeriods: 1,
        comparisonOperator: cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
        treatMissingData: cloudwatch.TreatMissingData.NOT_BREACHING,
      });
      if (topic !== undefined) alarm.addAlarmAction(new SnsAction(topic));
    }
  }
}
