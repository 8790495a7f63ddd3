import { ImageElvesError } from '../errors';
import type { Digest } from './chunk-store';

/** The store has no pack of this name. Another store may: callers act on missing and invalid differently. */
export class PackMissingError extends ImageElvesError {
  override readonly name = 'PackMissingError';
  constructor(readonly digest: Digest) {
    super(
      `The chunk store has no pack ${digest}.`,
      { digest },
      'Run the update again: the capture stores its packs anew.',
    );
  }
}

/** A pack is there, but its bytes are not those its name says. */
export class PackInvalidError extends ImageElvesError {
  override readonly name = 'PackInvalidError';
  constructor(
    readonly digest: Digest,
    problem: string,
    options?: ErrorOptions,
  ) {
    super(
      `Pack ${digest} is damaged: ${problem}.`,
      { digest, problem },
      'Nothing was patched with it. Delete the object and run the update again.',
      options,
    );
  }
}

/** A manifest asks for a content that none of its packs holds. */
export class ContentMissingError extends ImageElvesError {
  override readonly name = 'ContentMissingError';
  constructor(readonly digest: Digest) {
    super(`No pack of the manifest holds the content ${digest}.`, { digest });
  }
}

/** A content taken out of its pack does not have its digest or its size. */
export class ContentInvalidError extends ImageElvesError {
  override readonly name = 'ContentInvalidError';
  constructor(
    readonly digest: Digest,
    readonly pack: Digest,
    problem: string,
    options?: ErrorOptions,
  ) {
    super(
      `The content ${digest} in pack ${pack} is damaged: ${problem}.`,
      { digest, pack, problem },
      'Nothing was patched with it. Delete the pack and run the update again.',
      options,
    );
  }
}
