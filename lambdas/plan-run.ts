import { planRun } from '../aws/steps/plan-run';
import { requireEnv } from './runtime/env';
import { stepHandler } from './runtime/step';

/** Checks the input, finds the targets and freezes both in the bucket. */
export const handler = stepHandler(({ services }, input: Parameters<typeof planRun>[1]) =>
  planRun(services, input, { bucket: requireEnv('UPDATES_BUCKET'), key: requireEnv('UPDATES_KEY') }),
);
