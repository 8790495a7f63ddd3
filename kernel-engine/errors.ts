import { type Facts, ImageElvesError } from '../core/errors';

/** The emulated machine could not do what it was asked for. The devices are as they were. */
export class KernelEngineError extends ImageElvesError {
  override readonly name = 'KernelEngineError';

  /** @param consoleTail the last that the emulated machine's kernel printed */
  constructor(problem: string, consoleTail = '', facts: Facts = {}, options?: ErrorOptions) {
    super(
      `The emulated machine failed: ${problem}.${consoleTail === '' ? '' : ` It printed last:\n${consoleTail}`}`,
      { problem, ...facts },
      'Nothing was changed. Run it again; if it happens again, check the filesystem with its own fsck.',
      options,
    );
  }
}

/** What the emulated machine is made of is not there. */
export class KernelEngineMissingError extends ImageElvesError {
  override readonly name = 'KernelEngineMissingError';

  constructor(what: string, nextStep: string, options?: ErrorOptions) {
    super(`The kernel engine is not complete: ${what}.`, { what }, nextStep, options);
  }
}
