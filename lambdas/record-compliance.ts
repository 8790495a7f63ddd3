import { recordCompliance } from '../aws/steps/record-compliance';
import { stepHandler } from './runtime/step';

/** Records what a check found for every machine for which it holds. */
export const handler = stepHandler(({ services, hasTime }, input: Parameters<typeof recordCompliance>[1]) =>
  recordCompliance(services, input, hasTime),
);
