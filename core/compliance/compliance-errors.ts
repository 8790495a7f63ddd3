import { ImageElvesError } from '../errors';

/** What a check printed is no result that could be recorded for a machine. */
export class ComplianceOutputError extends ImageElvesError {
  override readonly name = 'ComplianceOutputError';

  constructor(cause: string, nextStep: string, line?: number, options?: ErrorOptions) {
    super(
      line === undefined
        ? `The result of the check ${cause}.`
        : `Line ${line} of the result of the check ${cause}.`,
      { line },
      nextStep,
      options,
    );
  }
}
