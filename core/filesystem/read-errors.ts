import { ImageElvesError } from '../errors';
import type { FileType } from './filesystem';

/** An operation that only files, only directories or only symbolic links have was asked of something else. */
export class WrongFileTypeError extends ImageElvesError {
  override readonly name = 'WrongFileTypeError';
  constructor(
    readonly path: string,
    expected: FileType,
    found: FileType,
  ) {
    super(`${path} is a ${found}, not a ${expected}.`, { path, expected, found });
  }
}

/** More bytes were asked for at once than memory should hold. Sparse files can claim any size. */
export class FileTooLargeError extends ImageElvesError {
  override readonly name = 'FileTooLargeError';
  constructor(path: string, lengthBytes: number, limitBytes: number) {
    super(
      `${path}: ${lengthBytes} bytes are more than the ${limitBytes} that are read at once.`,
      { path, lengthBytes, limitBytes },
      'Read the file range by range.',
    );
  }
}

/** What the disk holds of the file is ciphertext, which must not be taken for its content. */
export class EncryptedFileError extends ImageElvesError {
  override readonly name = 'EncryptedFileError';
  constructor(readonly path: string) {
    super(
      `${path} is encrypted, and its key is not on the disk.`,
      { path },
      'Leave the path out of the update, or update the instance online.',
    );
  }
}
