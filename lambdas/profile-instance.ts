import { profileInstance } from '../aws/steps/profile-instance';
import { stepHandler } from './runtime/step';

/** Reads from its snapshots what the update is thought to depend on. */
export const handler = stepHandler(({ services }, input: Parameters<typeof profileInstance>[1]) =>
  profileInstance(services, input),
);
