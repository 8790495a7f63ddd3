import { snapshotInstance } from '../aws/steps/snapshot-instance';
import { stepHandler } from './runtime/step';

/** Makes the snapshots of one instance for one purpose, and says when they can be read. */
export const handler = stepHandler(({ services }, input: Parameters<typeof snapshotInstance>[1]) =>
  snapshotInstance(services, input),
);
