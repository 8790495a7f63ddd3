import { checkUpdate } from '../aws/steps/run-update';
import { stepHandler } from './runtime/step';

/** Asks how the update on the representative stands. */
export const handler = stepHandler(({ services }, input: Parameters<typeof checkUpdate>[1]) =>
  checkUpdate(services, input),
);
