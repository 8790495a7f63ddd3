import { ImageElvesError } from '../errors';

/** The representative's two images cannot be compared. */
export class CaptureError extends ImageElvesError {
  override readonly name = 'CaptureError';
  constructor(problem: string, facts: Record<string, string | number> = {}, options?: ErrorOptions) {
    super(
      `The update cannot be captured: ${problem}.`,
      facts,
      'The representative is updated; the other machines of its class stay as they were.',
      options,
    );
  }
}
