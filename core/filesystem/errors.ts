import { ImageElvesError, type Facts } from '../errors';

/** The bytes on the disk contradict the format, or a checksum does not hold. */
export class CorruptFilesystemError extends ImageElvesError {
  override readonly name = 'CorruptFilesystemError';
  constructor(what: string, facts: Facts = {}, options?: ErrorOptions) {
    super(
      `The filesystem is damaged: ${what}.`,
      facts,
      'Check the volume with its own fsck (e2fsck -f, xfs_repair) before it is patched.',
      options,
    );
  }
}

/** The filesystem uses a feature that this code does not read, or does not write. */
export class UnsupportedFeatureError extends ImageElvesError {
  override readonly name = 'UnsupportedFeatureError';
  constructor(
    readonly features: readonly string[],
    readonly purpose: 'read' | 'write',
  ) {
    super(
      `The filesystem cannot be ${purpose === 'read' ? 'read' : 'written'}: ${features.join(', ')}.`,
      { features, purpose },
      purpose === 'read'
        ? 'Exclude the instance, or update it online.'
        : 'Use the kernel engine for this instance, or update it online.',
    );
  }
}

/** There is a filesystem, or something else, of a kind that this code does not open. */
export class UnsupportedFilesystemError extends ImageElvesError {
  override readonly name = 'UnsupportedFilesystemError';
  constructor(
    readonly kind: string,
    readonly where: string,
  ) {
    super(
      `${where} holds ${kind}, which cannot be opened offline.`,
      { kind, where },
      'Update the instance online.',
    );
  }
}

/** Changes of the last mount stand only in the log or journal, in a form that only the kernel replays. */
export class RecoveryNeededError extends ImageElvesError {
  override readonly name = 'RecoveryNeededError';
  constructor(
    readonly kind: string,
    readonly reason: string,
  ) {
    super(
      `The ${kind} filesystem was not unmounted cleanly: ${reason}.`,
      { kind, reason },
      'Deploy with the kernel engine, which replays it in a copy, or start and stop the instance once.',
    );
  }
}
