import { ImageElvesError } from '../errors';

/** The volume has no room for what was to be written. Nothing was changed. */
export class NoSpaceError extends ImageElvesError {
  override readonly name = 'NoSpaceError';

  constructor(
    readonly kind: 'blocks' | 'inodes' | 'directory entries',
    wanted: number,
    free: number,
  ) {
    super(
      `The filesystem has no room: ${wanted} ${kind} are needed, ${free} are free.`,
      { kind, wanted, free },
      'Free space on the instance or enlarge its volume, then run the update again.',
    );
  }
}

/** Nothing stands at the path that an operation needs. */
export class NotFoundError extends ImageElvesError {
  override readonly name = 'NotFoundError';

  constructor(path: string) {
    super(`There is no ${path} on the filesystem.`, { path });
  }
}

/** A part of the path is not a directory, or the operation needs one and found something else. */
export class NotADirectoryError extends ImageElvesError {
  override readonly name = 'NotADirectoryError';

  constructor(path: string) {
    super(`${path} is not a directory.`, { path });
  }
}

/** A directory was to be replaced by something else, or something else by a directory. */
export class NotReplaceableError extends ImageElvesError {
  override readonly name = 'NotReplaceableError';

  constructor(path: string, found: string, wanted: string) {
    super(
      `${path} is a ${found} and cannot be replaced by a ${wanted}.`,
      { path, found, wanted },
      'Remove what stands there first.',
    );
  }
}

export class DirectoryNotEmptyError extends ImageElvesError {
  override readonly name = 'DirectoryNotEmptyError';

  constructor(path: string) {
    super(`The directory ${path} is not empty.`, { path }, 'Remove what is in it first.');
  }
}

/**
 * chattr +i or +a protects the file or its directory: an update on the running machine could not change it either. A
 * file under fs-verity could be replaced there, but only the machine can seal its successor.
 */
export class ImmutableFileError extends ImageElvesError {
  override readonly name = 'ImmutableFileError';

  constructor(path: string, flag: 'immutable' | 'append-only' | 'sealed by fs-verity') {
    super(
      `${path} is ${flag}.`,
      { path, flag },
      flag === 'sealed by fs-verity'
        ? 'Update the instance online.'
        : 'Take the attribute off on the instance (chattr -i -a).',
    );
  }
}

export class TooManyLinksError extends ImageElvesError {
  override readonly name = 'TooManyLinksError';

  constructor(path: string, links: number) {
    super(`${path} has ${links} links, and the filesystem allows no more.`, { path, links });
  }
}

/** A hard link would lead from the tree of one project (chattr -p) to a file of another. */
export class OtherProjectError extends ImageElvesError {
  override readonly name = 'OtherProjectError';

  constructor(path: string) {
    super(`${path} cannot be a link to a file of another project.`, { path });
  }
}

/** A path that the filesystem cannot hold: not absolute and normalised, or with a name longer than 255 bytes. */
export class InvalidPathError extends ImageElvesError {
  override readonly name = 'InvalidPathError';

  constructor(path: string, why: string) {
    super(`${JSON.stringify(path)} is not a path of this filesystem: ${why}.`, { path, why });
  }
}

/** Extended attributes that the filesystem cannot hold: too large together, or in a namespace that it does not keep. */
export class XattrError extends ImageElvesError {
  override readonly name = 'XattrError';

  constructor(path: string, why: string, options?: ErrorOptions) {
    super(`The extended attributes of ${path} cannot be stored: ${why}.`, { path, why }, undefined, options);
  }
}

/** The filesystem says of itself that it is not in order. It can be read, but is not to be written. */
export class FilesystemNotCleanError extends ImageElvesError {
  override readonly name = 'FilesystemNotCleanError';

  constructor(why: string) {
    super(
      `The filesystem is not clean: ${why}.`,
      { why },
      'Start the instance and let its fsck repair the volume, then run the update again.',
    );
  }
}

/** Neither engine may change this filesystem: Linux itself would not, or not without harm. It can be read. */
export class RefusedFilesystemError extends ImageElvesError {
  override readonly name = 'RefusedFilesystemError';

  constructor(kind: string, why: string, features: readonly string[] = []) {
    super(
      `The ${kind} filesystem must not be changed: ${why}.`,
      { kind, why, features },
      'Exclude the instance, or update it online.',
    );
  }

  static ofFeatures(kind: string, features: readonly string[]): RefusedFilesystemError {
    return new RefusedFilesystemError(kind, `Linux does not write ${features.join(', ')}`, features);
  }
}

/** One of several changes that were to happen as one could not be made, so none was. Its `cause` says why. */
export class FailedChangeError extends ImageElvesError {
  override readonly name = 'FailedChangeError';

  /** @param index of the change among those that were asked for */
  constructor(
    readonly index: number,
    path: string,
    cause: unknown,
  ) {
    super(
      `The change of ${path} could not be made, nor those asked for with it.`,
      { index, path },
      undefined,
      {
        cause,
      },
    );
  }
}
