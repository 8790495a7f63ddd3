import { ImageElvesError } from '../errors';

/** More than Run Command takes. */
export class ScriptTooLongError extends ImageElvesError {
  override readonly name = 'ScriptTooLongError';

  constructor(bytes: number, limit: number) {
    super(
      `The script of the update has ${bytes} bytes with its recorder; Run Command takes ${limit}.`,
      { bytes, limit },
      'Put the commands into a file that the machines can fetch, and let the script fetch and run it.',
    );
  }
}
