import { sweepRuns } from '../aws/steps/sweep-runs';
import { executions } from './runtime/executions';
import { stepHandler } from './runtime/step';

/** Removes what dead runs left. */
export const handler = stepHandler(({ services, hasTime }, input: Parameters<typeof sweepRuns>[2]) =>
  sweepRuns(services, executions(), input, hasTime),
);
