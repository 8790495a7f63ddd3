import type {
  DescribeVolumesCommandInput,
  DescribeVolumesCommandOutput,
  DescribeVolumeStatusCommandInput,
  DescribeVolumeStatusCommandOutput,
} from '@aws-sdk/client-ec2';
import type { LocalEc2State } from '../state/local-ec2-state';
import type { VolumeRecord } from '../state/resources';
import { AwsError } from '../wire';
import {
  endDryRun,
  invalidCombination,
  invalidParameterValue,
  missingParameter,
  volumeNotFound,
  wellFormed,
} from './ec2-errors';
import { applyFilters, type FilterValues } from './filters';
import { page } from './pagination';
import { attachmentState, findVolume, toVolume, visibleVolumes, volumeState } from './volume-view';

type Output<T> = Omit<T, '$metadata'>;

const IDS_AND_PAGES = 'The parameter volumeIdsSet cannot be used with the parameter maxResults';

export function describeVolumesHandler(state: LocalEc2State) {
  return (input: DescribeVolumesCommandInput): Output<DescribeVolumesCommandOutput> => {
    endDryRun(input.DryRun);
    const { VolumeIds: ids } = input;
    if (ids?.includes('')) throw missingParameter('The request must contain the parameter volumes');
    if (ids?.length && input.MaxResults !== undefined) throw invalidCombination(IDS_AND_PAGES);
    for (const id of ids ?? [])
      if (!wellFormed(id, 'vol'))
        throw invalidParameterValue(`Value (${id}) for parameter volumes is invalid. Expected: 'vol-...'.`);
    const chosen = ids?.length ? ids.map((id) => mustFind(state, id)) : visibleVolumes(state);
    const found = applyFilters(chosen, input.Filters, ({ tags }) => tags, filterValues(state));
    const { items, NextToken } = page(found, input);
    return { Volumes: items.map((volume) => toVolume(volume, state.now())), NextToken };
  };
}

export function describeVolumeStatusHandler(state: LocalEc2State) {
  return (input: DescribeVolumeStatusCommandInput): Output<DescribeVolumeStatusCommandOutput> => {
    endDryRun(input.DryRun);
    const ids = input.VolumeIds?.filter((id) => id !== '');
    if (ids?.length && input.MaxResults !== undefined) throw invalidCombination(IDS_AND_PAGES);
    for (const id of ids ?? [])
      if (!wellFormed(id, 'vol'))
        throw new AwsError(
          'InvalidVolumeID.Malformed',
          `Invalid id: "${id}"${id.startsWith('vol-') ? '' : ' (expecting "vol-...")'}`,
        );
    const chosen = ids?.length ? ids.map((id) => mustFind(state, id)) : visibleVolumes(state);
    const found = applyFilters(chosen, input.Filters, ({ tags }) => tags, filterValues(state));
    const { items, NextToken } = page(found, input);
    return {
      VolumeStatuses: items.map((volume) => ({
        VolumeId: volume.volumeId,
        AvailabilityZone: volume.availabilityZone,
        Actions: [],
        Events: [],
        VolumeStatus: {
          Status: 'ok',
          Details: [
            { Name: 'io-enabled', Status: 'passed' },
            { Name: 'io-performance', Status: 'not-applicable' },
            ...(volume.snapshotId === ''
              ? []
              : [{ Name: 'initialization-state' as const, Status: 'completed' }]),
          ],
        },
        ...(volume.snapshotId === ''
          ? {}
          : { InitializationStatusDetails: { InitializationType: 'default' as const, Progress: 100 } }),
      })),
      NextToken,
    };
  };
}

function mustFind(state: LocalEc2State, volumeId: string): VolumeRecord {
  const volume = findVolume(state, volumeId);
  if (!volume) throw volumeNotFound(volumeId);
  return volume;
}

const filterValues =
  (state: LocalEc2State): FilterValues<VolumeRecord> =>
  (name, volume) => {
    const now = state.now();
    const attached = attachmentState(volume.attachment, now);
    const attachment = attached ? volume.attachment : undefined;
    switch (name) {
      case 'attachment.instance-id':
        return attachment ? [attachment.instanceId] : [];
      case 'attachment.device':
        return attachment ? [attachment.device] : [];
      case 'attachment.status':
        return attached ? [attached] : [];
      case 'attachment.delete-on-termination':
        return attachment ? [String(attachment.deleteOnTermination)] : [];
      case 'availability-zone':
        return [volume.availabilityZone];
      case 'create-time':
        return [new Date(volume.createTime).toISOString()];
      case 'encrypted':
        return [String(volume.encrypted)];
      case 'size':
        return [String(volume.sizeGiB)];
      case 'snapshot-id':
        return [volume.snapshotId];
      case 'status':
        return [volumeState(volume, now)];
      case 'volume-id':
        return [volume.volumeId];
      case 'volume-type':
        return [volume.volumeType];
      default:
        return undefined;
    }
  };
