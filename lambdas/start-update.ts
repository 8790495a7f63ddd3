import { startUpdate } from '../aws/steps/run-update';
import { stepHandler } from './runtime/step';

/** Starts the update on the representative. */
export const handler = stepHandler(({ services }, input: Parameters<typeof startUpdate>[1]) =>
  startUpdate(services, input),
);
