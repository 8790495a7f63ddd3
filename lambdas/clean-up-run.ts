import { cleanUpRun } from '../aws/steps/clean-up';
import { stepHandler } from './runtime/step';

/** Removes what the run made only for itself. */
export const handler = stepHandler(({ services }, input: Parameters<typeof cleanUpRun>[1]) =>
  cleanUpRun(services, input),
);
