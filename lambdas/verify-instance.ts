import { verifyInstance } from '../aws/steps/verify-instance';
import { stepHandler } from './runtime/step';

/** Checks a patched machine from outside. */
export const handler = stepHandler(({ services }, input: Parameters<typeof verifyInstance>[1]) =>
  verifyInstance(services, input),
);
