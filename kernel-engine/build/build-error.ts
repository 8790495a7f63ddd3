import { ImageElvesError } from '../../core/errors';

/** The guest of the kernel engine could not be built. */
export class BuildError extends ImageElvesError {
  override readonly name = 'BuildError';

  constructor(problem: string, nextStep?: string, options?: ErrorOptions) {
    super(`The kernel engine cannot be built: ${problem}.`, {}, nextStep, options);
  }
}
