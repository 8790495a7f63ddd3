import { ImageElvesError } from '../errors';

/** A recording that does not read as one. */
export class RecordingError extends ImageElvesError {
  override readonly name = 'RecordingError';

  constructor(cause: string, line?: number, options?: ErrorOptions) {
    super(
      line === undefined ? `The recording ${cause}.` : `Line ${line} of the recording ${cause}.`,
      { line },
      'Capture without it: the difference of the snapshots then decides alone. Look at the output of the update for what stopped the recorder.',
      options,
    );
  }
}
