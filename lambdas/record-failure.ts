import { recordFailure } from '../aws/steps/record-failure';
import { stepHandler } from './runtime/step';

/** Writes down what failed on a machine, in a class or in the run. */
export const handler = stepHandler(({ services }, input: Parameters<typeof recordFailure>[1]) =>
  recordFailure(services, input),
);
