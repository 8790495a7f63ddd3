import { ImageElvesError, type Facts } from '../errors';

/** A partition table is damaged or says what its disk cannot hold. */
export class PartitionTableError extends ImageElvesError {
  override readonly name = 'PartitionTableError';
  constructor(what: string, facts: Facts = {}) {
    super(
      `The partition table cannot be used: ${what}.`,
      facts,
      'Look at the volume with `sgdisk --verify` or `sfdisk --verify` on a running machine.',
    );
  }
}
