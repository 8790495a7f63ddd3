import { classifyTargets } from '../aws/steps/classify-targets';
import { stepHandler } from './runtime/step';

/** Groups equal images into classes, each with a representative. */
export const handler = stepHandler(({ services }, input: Parameters<typeof classifyTargets>[1]) =>
  classifyTargets(services, input),
);
