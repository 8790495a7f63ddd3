import { releaseLease } from '../aws/steps/leases';
import { stepHandler } from './runtime/step';

/** Records the outcome of one machine and lets others change it again. */
export const handler = stepHandler(({ services }, input: Parameters<typeof releaseLease>[1]) =>
  releaseLease(services, input),
);
