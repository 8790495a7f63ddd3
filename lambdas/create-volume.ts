import { createVolume } from '../aws/steps/create-volume';
import { stepHandler } from './runtime/step';

/** Makes the volumes that take the place of the old ones. */
export const handler = stepHandler(({ services }, input: Parameters<typeof createVolume>[1]) =>
  createVolume(services, input),
);
