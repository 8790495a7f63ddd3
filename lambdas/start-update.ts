import { startUpdate } from '../aws/steps/run-update';
import { RECORDER } from './runtime/recorder';
import { stepHandler } from './runtime/step';

/** Starts the update on a machine, with the recorder around it. */
export const handler = stepHandler(({ services }, input: Parameters<typeof startUpdate>[1]) =>
  startUpdate(services, input, RECORDER),
);
