import { selectMatched } from '../aws/steps/select-matched';
import { stepHandler } from './runtime/step';

/** Lists the members to patch, the canary apart. */
export const handler = stepHandler(({ services }, input: Parameters<typeof selectMatched>[1]) =>
  selectMatched(services, input),
);
