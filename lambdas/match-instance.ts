import { matchInstance } from '../aws/steps/match-instance';
import { stepHandler } from './runtime/step';

/** Compares one member with what the manifest expects. */
export const handler = stepHandler(({ services }, input: Parameters<typeof matchInstance>[1]) =>
  matchInstance(services, input),
);
