import { planRollBack } from '../aws/steps/plan-roll-back';
import { stepHandler } from './runtime/step';

/** Lists the machines of a run whose old volumes can be put back. */
export const handler = stepHandler(({ services }, input: Parameters<typeof planRollBack>[1]) =>
  planRollBack(services, input),
);
