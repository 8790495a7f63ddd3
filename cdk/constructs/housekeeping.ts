import type * as sqs from 'aws-cdk-lib/aws-sqs';
import * as scheduler from 'aws-cdk-lib/aws-scheduler';
import * as targets from 'aws-cdk-lib/aws-scheduler-targets';
import type { StateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';

/** When old volumes are deleted whose retention has ended, and what dead runs left is removed. */
export interface HousekeepingProps {
  /**
   * `cron(30 5 * * ? *)` (in UTC) or `rate(1 day)`.
   *
   * @default "rate(1 day)"
   */
  readonly schedule?: string;
  /**
   * Switched off, nothing is deleted but by hand, or by an execution of `keepHouse` that is started by hand.
   *
   * @default true
   */
  readonly enabled?: boolean;
}

export const HOUSEKEEPING_SCHEDULE = 'rate(1 day)';

/** The schedule of the state machine keep-house. */
export class Housekeeping extends Construct {
  constructor(
    scope: Construct,
    id: string,
    stateMachine: StateMachine,
    deadLetterQueue: sqs.IQueue,
    { schedule = HOUSEKEEPING_SCHEDULE, enabled = true }: HousekeepingProps,
  ) {
    super(scope, id);
    new scheduler.Schedule(this, 'Schedule', {
      description: 'Prunes old volumes and sweeps what dead runs left',
      schedule: scheduler.ScheduleExpression.expression(schedule),
      enabled,
      target: new targets.StepFunctionsStartExecution(stateMachine, {
        input: scheduler.ScheduleTargetInput.fromObject({}),
        deadLetterQueue,
        retryAttempts: 3,
      }),
    });
  }
}
