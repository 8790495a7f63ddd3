import type { EventDetails, EventType } from '../history-event';
import type { Json } from '../json';
import type { StatesError } from '../states-error';
import type { Integration } from './integration';

const whole = { truncated: false };

/** The events of one attempt of a task. A Lambda function's ARN as Resource has event types of its own. */
export function taskEvents(
  { type, resource }: Integration['name'],
  note: (type: EventType, details?: EventDetails) => void,
) {
  const named = { resourceType: type, resource };
  const byArn = type === 'lambda-arn';
  return {
    scheduled(parameters: string, region: string, timeoutInSeconds?: number): void {
      if (byArn)
        note('LambdaFunctionScheduled', {
          lambdaFunctionScheduledEventDetails: {
            resource,
            input: parameters,
            inputDetails: whole,
            timeoutInSeconds,
          },
        });
      else
        note('TaskScheduled', {
          taskScheduledEventDetails: { ...named, region, parameters, timeoutInSeconds },
        });
    },
    started(): void {
      if (byArn) note('LambdaFunctionStarted');
      else note('TaskStarted', { taskStartedEventDetails: named });
    },
    submitted(output: Json): void {
      note('TaskSubmitted', {
        taskSubmittedEventDetails: { ...named, output: JSON.stringify(output), outputDetails: whole },
      });
    },
    succeeded(output: string): void {
      if (byArn)
        note('LambdaFunctionSucceeded', {
          lambdaFunctionSucceededEventDetails: { output, outputDetails: whole },
        });
      else note('TaskSucceeded', { taskSucceededEventDetails: { ...named, output, outputDetails: whole } });
    },
    failed({ error, cause }: StatesError): void {
      const timedOut = error === 'States.Timeout';
      if (byArn && timedOut)
        note('LambdaFunctionTimedOut', { lambdaFunctionTimedOutEventDetails: { error, cause } });
      else if (byArn) note('LambdaFunctionFailed', { lambdaFunctionFailedEventDetails: { error, cause } });
      else if (timedOut) note('TaskTimedOut', { taskTimedOutEventDetails: { ...named, error, cause } });
      else note('TaskFailed', { taskFailedEventDetails: { ...named, error, cause } });
    },
  };
}
