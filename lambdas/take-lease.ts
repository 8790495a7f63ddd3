import { takeLease } from '../aws/steps/leases';
import { stepHandler } from './runtime/step';

/** Takes the right to change one machine. */
export const handler = stepHandler(({ services }, input: Parameters<typeof takeLease>[1]) =>
  takeLease(services, input),
);
