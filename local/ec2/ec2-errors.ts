import { AwsError } from '../wire';

export const invalidParameterValue = (message: string): AwsError =>
  new AwsError('InvalidParameterValue', message);
export const missingParameter = (message: string): AwsError => new AwsError('MissingParameter', message);
export const invalidCombination = (message: string): AwsError =>
  new AwsError('InvalidParameterCombination', message);
export const incorrectState = (message: string): AwsError => new AwsError('IncorrectState', message);

export const volumeNotFound = (volumeId: string): AwsError =>
  new AwsError('InvalidVolume.NotFound', `The volume '${volumeId}' does not exist.`);
export const snapshotNotFound = (snapshotId: string): AwsError =>
  new AwsError('InvalidSnapshot.NotFound', `The snapshot '${snapshotId}' does not exist.`);
export const instanceNotFound = (ids: readonly string[]): AwsError =>
  new AwsError(
    'InvalidInstanceID.NotFound',
    ids.length === 1
      ? `The instance ID '${ids[0]}' does not exist`
      : `The instance IDs '${ids.join(', ')}' do not exist`,
  );

/** An id of the right form: the prefix and 8 or 17 hexadecimal digits, not all of them zero. */
export const wellFormed = (id: string, prefix: string): boolean =>
  new RegExp(`^${prefix}-([0-9a-f]{8}|[0-9a-f]{17})$`).test(id) && !/-0+$/.test(id);

/** Ends a call made with `DryRun` that would have been carried out (HTTP 412). */
export function endDryRun(dryRun: boolean | undefined): void {
  if (dryRun)
    throw new AwsError('DryRunOperation', 'Request would have succeeded, but DryRun flag is set.', 412);
}
