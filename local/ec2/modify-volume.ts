import type {
  DescribeVolumesModificationsCommandInput,
  DescribeVolumesModificationsCommandOutput,
  ModifyVolumeCommandInput,
  VolumeModification,
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
import { applyFilters } from './filters';
import { page } from './pagination';
import { performanceOf, volumeTypeOf } from './volume-rules';
import { findVolume, visibleVolumes } from './volume-view';

const DAY = 24 * 60 * 60 * 1000;
const MODIFICATIONS_A_DAY = 4;

export function modifyVolumeHandler(state: LocalEc2State) {
  return (input: ModifyVolumeCommandInput): { VolumeModification: VolumeModification } => {
    endDryRun(input.DryRun);
    const volume = findVolume(state, input.VolumeId ?? '');
    if (!volume) throw volumeNotFound(input.VolumeId ?? '');
    const { Size, VolumeType, Iops, Throughput, MultiAttachEnabled } = input;
    if ([Size, VolumeType, Iops, Throughput, MultiAttachEnabled].every((value) => value === undefined))
      throw invalidParameterValue(
        'Invalid input: Must specify at least one of size, type, iops, throughput or multi-attach.',
      );
    const now = state.now();
    const target = targetOf(volume, input);
    if (volume.modification && volume.modification.endTime > now)
      throw new AwsError(
        'IncorrectModificationState',
        `Volume ${volume.volumeId} cannot be modified in modification state MODIFYING`,
      );
    const recent = (volume.modificationTimes ?? []).filter((time) => time > now - DAY);
    if (recent.length >= MODIFICATIONS_A_DAY)
      throw new AwsError(
        'VolumeModificationRateExceeded',
        "You've reached the maximum modification rate per volume limit. Wait until " +
          `${new Date((recent[0] ?? now) + DAY).toISOString()} before you can issue the next modification request for this volume.`,
      );
    volume.modification = {
      startTime: now,
      endTime: now + state.timings.volumeModifying,
      original: snapshotOf(volume),
      target,
    };
    volume.modificationTimes = [...recent, now];
    void state.clock.sleep(state.timings.volumeModifying).then(() => {
      Object.assign(volume, target);
      state.changed();
    });
    state.changed();
    return { VolumeModification: toModification(volume, now) };
  };
}

function targetOf(volume: VolumeRecord, input: ModifyVolumeCommandInput) {
  const volumeType = input.VolumeType === undefined ? volume.volumeType : volumeTypeOf(input.VolumeType);
  const sameType = volumeType === volume.volumeType;
  const sizeGiB = input.Size ?? volume.sizeGiB;
  if (sizeGiB < volume.sizeGiB) throw invalidParameterValue(`New size cannot be smaller than existing size`);
  const { iops, throughput } = performanceOf({
    volumeType,
    sizeGiB,
    iops: input.Iops ?? (sameType && volumeType !== 'gp2' ? volume.iops : undefined),
    throughput: input.Throughput ?? (sameType ? volume.throughput : undefined),
  });
  return { sizeGiB, volumeType, iops, throughput };
}

const snapshotOf = ({ sizeGiB, volumeType, iops, throughput }: VolumeRecord) => ({
  sizeGiB,
  volumeType,
  iops,
  throughput,
});

export function describeVolumesModificationsHandler(state: LocalEc2State) {
  return (
    input: DescribeVolumesModificationsCommandInput,
  ): Omit<DescribeVolumesModificationsCommandOutput, '$metadata'> => {
    endDryRun(input.DryRun);
    const { VolumeIds: ids } = input;
    if (ids?.includes(''))
      throw missingParameter(
        'Value () for parameter volumeId is invalid. Parameter may not be null or empty.',
      );
    for (const id of ids ?? []) checkId(id);
    if (ids?.length && input.MaxResults !== undefined)
      throw invalidCombination(
        'The parameter volumeModificationSet cannot be used with the parameter maxResults',
      );
    const now = state.now();
    const chosen = ids?.length ? ids.map((id) => modified(state, id)) : visibleVolumes(state);
    const found = applyFilters(
      chosen,
      input.Filters,
      ({ tags }) => tags,
      (name, volume) =>
        name === 'volume-id'
          ? [volume.volumeId]
          : name === 'modification-state'
            ? volume.modification
              ? [volume.modification.endTime > now ? 'modifying' : 'completed']
              : []
            : undefined,
    ).filter((volume) => volume.modification);
    const { items, NextToken } = page(found, input);
    return { VolumesModifications: items.map((volume) => toModification(volume, now)), NextToken };
  };
}

function checkId(id: string): void {
  if (!id.startsWith('vol-'))
    throw invalidParameterValue(`Value (${id}) for parameter volumeId is invalid. Expected: 'vol-...'.`);
  if (!wellFormed(id, 'vol'))
    throw new AwsError('InvalidVolumeID.Malformed', `Value ( ${id} ) for parameter VOLUME is invalid. `);
}

function modified(state: LocalEc2State, id: string): VolumeRecord {
  const volume = findVolume(state, id);
  if (!volume || volume.deletedAt !== undefined) throw volumeNotFound(id);
  if (!volume.modification)
    throw new AwsError(
      'InvalidVolumeModification.NotFound',
      `Modification for volume '${id}' does not exist.`,
    );
  return volume;
}

function toModification(volume: VolumeRecord, now: number): VolumeModification {
  const { modification } = volume;
  if (!modification) return { VolumeId: volume.volumeId };
  const done = modification.endTime <= now;
  return {
    VolumeId: volume.volumeId,
    ModificationState: done ? 'completed' : 'modifying',
    OriginalSize: modification.original.sizeGiB,
    OriginalVolumeType: modification.original.volumeType as VolumeModification['OriginalVolumeType'],
    OriginalIops: modification.original.iops,
    OriginalThroughput: modification.original.throughput,
    OriginalMultiAttachEnabled: false,
    TargetSize: modification.target.sizeGiB,
    TargetVolumeType: modification.target.volumeType as VolumeModification['TargetVolumeType'],
    TargetIops: modification.target.iops,
    TargetThroughput: modification.target.throughput,
    TargetMultiAttachEnabled: false,
    Progress: done ? 100 : 0,
    StartTime: new Date(modification.startTime),
    ...(done ? { EndTime: new Date(modification.endTime) } : {}),
  };
}
