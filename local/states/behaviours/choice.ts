import type { ChoiceState } from '../definition/definition';
import { queryError } from '../jsonata/evaluate';
import { StatesError } from '../states-error';
import type { Behaviour } from './behaviour';

export const choice: Behaviour<ChoiceState> = async (state, visit) => {
  for (const [index, rule] of state.Choices.entries()) {
    const field = `Choices[${index}]/Condition`;
    const holds = await visit.evaluate(rule.Condition, field);
    if (typeof holds !== 'boolean')
      throw queryError(`The JSONata expression for the field '${field}' must give a boolean.`, field);
    if (holds) return { output: visit.input, rule: { ...rule, field: `Choices[${index}]/` } };
  }
  if (state.Default === undefined)
    throw new StatesError('States.NoChoiceMatched', 'No choice rule matched, and there is no Default.');
  const { Output, Assign } = state;
  return { output: visit.input, rule: { Next: state.Default, Output, Assign, field: '' } };
};
