import { TimeZone } from 'aws-cdk-lib';
import type { StateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import * as scheduler from 'aws-cdk-lib/aws-scheduler';
import * as targets from 'aws-cdk-lib/aws-scheduler-targets';
import type * as sqs from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import type { RunInput } from '../../core/workflow/run-input';

/** Starts runs by the clock, with EventBridge Scheduler. */
export interface RunScheduleProps {
  /** `cron(0 3 ? * SUN *)`, `rate(7 days)` or `at(2027-01-31T03:00:00)`. */
  readonly expression: string;
  /**
   * Of a cron or at expression, as in the IANA database.
   *
   * @default "Etc/UTC"
   */
  readonly timeZone?: string;
  /** What a person would type at the console; its `update` must be one of the construct's updates. */
  readonly input: RunInput;
  /**
   * A schedule that is switched off stays in place and starts nothing.
   *
   * @default true
   */
  readonly enabled?: boolean;
}

/** One schedule; what it could not start lands in the dead-letter queue, which has an alarm. */
export class RunSchedule extends Construct {
  constructor(
    scope: Construct,
    id: string,
    stateMachine: StateMachine,
    deadLetterQueue: sqs.IQueue,
    props: RunScheduleProps,
  ) {
    super(scope, id);
    new scheduler.Schedule(this, 'Schedule', {
      description: `Starts the update ${props.input.update}`,
      schedule: scheduler.ScheduleExpression.expression(
        props.expression,
        TimeZone.of(props.timeZone ?? 'Etc/UTC'),
      ),
      enabled: props.enabled ?? true,
      target: new targets.StepFunctionsStartExecution(stateMachine, {
        input: scheduler.ScheduleTargetInput.fromObject(props.input),
        deadLetterQueue,
        retryAttempts: 3,
      }),
    });
  }
}

const CRON_FIELD = '[0-9A-Za-z*?,/#-]+';
const CRON = new RegExp(String.raw`^cron\((${CRON_FIELD} ){5}${CRON_FIELD}\)$`);
const RATE = /^rate\((1 (minute|hour|day)|([2-9]|[1-9]\d+) (minutes|hours|days))\)$/;
const AT = /^at\(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\)$/;

/** What is wrong with the expression, or undefined. EventBridge Scheduler would say it only at deployment. */
export function mistakeInExpression(expression: string): string | undefined {
  if (expression.startsWith('cron(') && !CRON.test(expression)) {
    return `"${expression}" is no cron expression: it has six fields (minutes hours day-of-month month day-of-week year), for example cron(0 3 ? * SUN *)`;
  }
  const fields = expression.slice('cron('.length, -1).split(' ');
  if (CRON.test(expression) && (fields[2] === '?') === (fields[4] === '?')) {
    return `"${expression}": exactly one of day-of-month and day-of-week must be "?"`;
  }
  if (CRON.test(expression) || RATE.test(expression) || AT.test(expression)) return undefined;
  return `"${expression}" is none of cron(...), rate(7 days) and at(2027-01-31T03:00:00)`;
}
