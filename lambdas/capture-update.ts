import { captureUpdate } from '../aws/steps/capture-update';
import { stepHandler } from './runtime/step';

/** Turns two snapshots of the representative into a manifest. */
export const handler = stepHandler(({ services }, input: Parameters<typeof captureUpdate>[1]) =>
  captureUpdate(services, input),
);
