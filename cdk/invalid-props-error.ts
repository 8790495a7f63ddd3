/** The props of a construct make no sense; thrown at synth time, with every mistake named. */
export class InvalidPropsError extends Error {
  override readonly name = 'InvalidPropsError';

  constructor(readonly mistakes: readonly string[]) {
    super(`ImageElves: ${mistakes.join('; ')}.`);
  }
}
