import { applyManifest } from '../aws/steps/apply-manifest';
import { stepHandler } from './runtime/step';

/** Performs the manifest on one member, as children of its snapshots. */
export const handler = stepHandler(({ services, hasTime }, input: Parameters<typeof applyManifest>[1]) =>
  applyManifest(services, input, hasTime),
);
