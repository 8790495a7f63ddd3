import type { DescribeVolumeAttributeCommandInput, EnableVolumeIOCommandInput } from '@aws-sdk/client-ec2';
import type { LocalEc2State } from '../state/local-ec2-state';
import {
  endDryRun,
  incorrectState,
  invalidCombination,
  invalidParameterValue,
  volumeNotFound,
} from './ec2-errors';
import { findVolume } from './volume-view';

export function describeVolumeAttributeHandler(state: LocalEc2State) {
  return (input: DescribeVolumeAttributeCommandInput) => {
    endDryRun(input.DryRun);
    const VolumeId = input.VolumeId ?? '';
    const attribute = input.Attribute as string | undefined;
    if (attribute === undefined || attribute === '') throw invalidCombination('No attributes specified.');
    const volume = findVolume(state, VolumeId);
    if (!volume) throw volumeNotFound(VolumeId);
    if (attribute === 'autoEnableIO') return { VolumeId, AutoEnableIO: { Value: false } };
    if (attribute === 'productCodes')
      return {
        VolumeId,
        ProductCodes: (volume.productCodes ?? []).map((ProductCodeId) => ({
          ProductCodeId,
          ProductCodeType: 'marketplace' as const,
        })),
      };
    throw invalidParameterValue(
      `Value (${attribute}) for parameter attribute is invalid. Unknown attribute.`,
    );
  };
}

export function enableVolumeIoHandler(state: LocalEc2State) {
  return (input: EnableVolumeIOCommandInput): void => {
    endDryRun(input.DryRun);
    if (!findVolume(state, input.VolumeId ?? '')) throw volumeNotFound(input.VolumeId ?? '');
    throw incorrectState(`Volume ${input.VolumeId} already has IO enabled`);
  };
}
