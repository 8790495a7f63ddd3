import { rememberManifest } from '../aws/steps/remembered-manifests';
import { stepHandler } from './runtime/step';

/** Keeps what was captured for a class for later runs of the same update. */
export const handler = stepHandler(({ services }, input: Parameters<typeof rememberManifest>[1]) =>
  rememberManifest(services, input),
);
