import { ImageElvesError, type Facts } from '../errors';

/** The metadata of a volume group is damaged, or says what its physical volumes cannot hold. */
export class LvmMetadataError extends ImageElvesError {
  override readonly name = 'LvmMetadataError';
  constructor(what: string, facts: Facts = {}) {
    super(
      `The LVM metadata cannot be used: ${what}.`,
      facts,
      'Look at the group with `vgck` and `pvck` on a running machine.',
    );
  }
}
