import { ImageElvesError } from '../errors';

const NEXT_STEP = 'Nothing was patched with it. Run the update again, so that the manifest is captured anew.';

/** The bytes are not those that the workflow was given the digest of. */
export class ManifestDigestError extends ImageElvesError {
  override readonly name = 'ManifestDigestError';
  constructor(expected: string, found: string) {
    super(`The manifest has the digest ${found}, expected is ${expected}.`, { expected, found }, NEXT_STEP);
  }
}

/** Written by a version of this software whose manifests this one does not read. */
export class ManifestVersionError extends ImageElvesError {
  override readonly name = 'ManifestVersionError';
  constructor(found: unknown, supported: number) {
    super(
      `The manifest has version ${JSON.stringify(found)}; this software reads version ${supported}.`,
      { found: JSON.stringify(found), supported },
      NEXT_STEP,
    );
  }
}

/** Not a manifest, or one that must not be performed. */
export class ManifestInvalidError extends ImageElvesError {
  override readonly name = 'ManifestInvalidError';
  constructor(
    problem: string,
    readonly where?: string,
    options?: ErrorOptions,
  ) {
    super(
      `The manifest is not valid${where === undefined ? '' : ` at ${where}`}: ${problem}.`,
      { problem, where },
      NEXT_STEP,
      options,
    );
  }
}
