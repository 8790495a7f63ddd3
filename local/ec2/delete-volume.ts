import type { DeleteVolumeCommandInput } from '@aws-sdk/client-ec2';
import type { LocalEc2State } from '../state/local-ec2-state';
import type { VolumeRecord } from '../state/resources';
import { removeVolumeBytes } from '../state/snapshot-bytes';
import { AwsError } from '../wire';
import { endDryRun, invalidParameterValue, missingParameter, volumeNotFound, wellFormed } from './ec2-errors';
import { findVolume, volumeState } from './volume-view';

export function deleteVolumeHandler(state: LocalEc2State) {
  return async (input: DeleteVolumeCommandInput): Promise<void> => {
    const { VolumeId: id } = input;
    if (id === undefined)
      throw missingParameter(
        'The request must include the VolumeId parameter. Add the required parameter and retry the request.',
      );
    if (!wellFormed(id, 'vol')) throw invalidParameterValue(`The volume ID '${id}' is malformed`);
    endDryRun(input.DryRun);
    const volume = findVolume(state, id);
    if (!volume || volume.deletedAt !== undefined) throw volumeNotFound(id);
    if (volumeState(volume, state.now()) === 'in-use')
      throw new AwsError(
        'VolumeInUse',
        `Volume ${id} is currently attached to ${volume.attachment?.instanceId ?? 'an instance'}`,
      );
    await deleteVolume(state, volume);
  };
}

/** Starts the deletion: `deleting` for a moment, then gone. */
export async function deleteVolume(state: LocalEc2State, volume: VolumeRecord): Promise<void> {
  volume.deletedAt = state.now() + state.timings.volumeDeleting;
  volume.attachment = undefined;
  await removeVolumeBytes(state, volume.volumeId);
  state.changed();
}
