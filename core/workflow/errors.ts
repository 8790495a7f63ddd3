import { ImageElvesError } from '../errors';

/** What was typed to start a run is wrong; `facts.mistakes` has every mistake. */
export class InvalidRunInputError extends ImageElvesError {
  override readonly name = 'InvalidRunInputError';

  constructor(mistakes: readonly string[], example: string) {
    super(`The input has ${mistakes.length} mistake(s): ${mistakes.join('; ')}. ${example}`, { mistakes });
  }
}

export class UnknownUpdateError extends ImageElvesError {
  override readonly name = 'UnknownUpdateError';

  constructor(update: string, known: readonly string[]) {
    super(`There is no update "${update}"; this deployment has: ${known.join(', ')}.`, { update, known });
  }
}

/** The targets are well formed, but no instance is left to patch. */
export class NoTargetsError extends ImageElvesError {
  override readonly name = 'NoTargetsError';

  constructor(found: number, reasons: readonly string[]) {
    super(
      found === 0
        ? 'No instance has the tags or ids of the targets.'
        : `All ${found} instances found are left out: ${reasons.join('; ')}.`,
      { found, reasons },
      'Check the tags in the EC2 console, or name instances by id.',
    );
  }
}
