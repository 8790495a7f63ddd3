import { pruneVolumes } from '../aws/steps/prune-volumes';
import { stepHandler } from './runtime/step';

/** Deletes old volumes whose retention has ended. */
export const handler = stepHandler(({ services, hasTime }, input: Parameters<typeof pruneVolumes>[1]) =>
  pruneVolumes(services, input, hasTime),
);
