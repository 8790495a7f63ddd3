import { ImageElvesError } from '../../core/errors';

/** The socket could not be made. */
export class NbdListenError extends ImageElvesError {
  override readonly name = 'NbdListenError';
  constructor(socketPath: string, cause: unknown) {
    super(
      `Block devices cannot be served at ${socketPath}: ${(cause as Error).message}.`,
      { socketPath },
      'The folder must exist and be writable, and the path have at most 107 bytes.',
      { cause },
    );
  }
}

/** A client sent what the protocol does not allow. Its connection is cut; others go on. */
export class NbdProtocolError extends ImageElvesError {
  override readonly name = 'NbdProtocolError';
  constructor(what: string) {
    super(`The NBD client broke the protocol: ${what}.`);
  }
}
