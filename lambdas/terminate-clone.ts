import { terminateClone } from '../aws/steps/clean-up';
import { stepHandler } from './runtime/step';

/** Terminates the clone of one class. */
export const handler = stepHandler(({ services }, input: Parameters<typeof terminateClone>[1]) =>
  terminateClone(services, input),
);
