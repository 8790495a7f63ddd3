import type {
  DescribeInstanceInformationCommandInput,
  DescribeInstanceInformationCommandOutput,
  InstanceInformationStringFilter,
} from '@aws-sdk/client-ssm';
import type { LocalEc2State } from '../state/local-ec2-state';
import type { InstanceRecord } from '../state/resources';
import { AwsError } from '../wire';
import { validation } from './ssm-errors';

const KEYS = new Set([
  'InstanceIds',
  'AgentVersion',
  'PingStatus',
  'PlatformTypes',
  'ActivationIds',
  'IamRole',
  'ResourceType',
  'AssociationStatus',
]);

export function describeInstanceInformationHandler(
  state: LocalEc2State,
  isManaged: (instance: InstanceRecord) => boolean,
) {
  return (
    input: DescribeInstanceInformationCommandInput,
  ): Omit<DescribeInstanceInformationCommandOutput, '$metadata'> => {
    if (input.Filters?.length && input.InstanceInformationFilterList?.length)
      throw validation('Cannot use both legacy and new filter simultaneously.');
    const filters: InstanceInformationStringFilter[] = [
      ...(input.Filters ?? []),
      ...(input.InstanceInformationFilterList ?? []).map(({ key, valueSet }) => ({
        Key: key,
        Values: valueSet,
      })),
    ];
    checkKeys(filters);
    const start = startOf(input.NextToken);
    // A machine that is off is not listed at all.
    const managed = [...state.instances.values()].filter(
      (instance) => isManaged(instance) && filters.every((filter) => fits(instance, filter)),
    );
    const end = start + (input.MaxResults ?? 50);
    return {
      InstanceInformationList: managed.slice(start, end).map((instance) => ({
        InstanceId: instance.instanceId,
        PingStatus: 'Online',
        LastPingDateTime: state.clock.now(),
        AgentVersion: '3.3.0.0',
        IsLatestVersion: true,
        PlatformType: 'Linux',
        PlatformName: 'Debian GNU/Linux',
        ResourceType: 'EC2Instance',
        IPAddress: instance.privateIpAddress,
        ComputerName: instance.tags['Name'] ?? instance.instanceId,
      })),
      ...(end < managed.length ? { NextToken: Buffer.from(`from:${end}`).toString('base64') } : {}),
    };
  };
}

function checkKeys(filters: readonly InstanceInformationStringFilter[]): void {
  const tags = filters.filter(({ Key = '' }) => Key.startsWith('tag'));
  if (tags.length > 0 && tags.length < filters.length)
    throw validation('Cannot mix tag or inventory filter with any other filter.');
  for (const { Key = '' } of filters)
    if (!KEYS.has(Key) && Key !== 'tag-key' && !Key.startsWith('tag:'))
      throw validation(`${Key} filter Key is invalid.`);
}

function fits(instance: InstanceRecord, { Key = '', Values = [] }: InstanceInformationStringFilter): boolean {
  if (Key === 'InstanceIds') return Values.includes(instance.instanceId);
  if (Key === 'PingStatus') return Values.includes('Online');
  if (Key === 'PlatformTypes') return Values.includes('Linux');
  if (Key === 'ResourceType') return Values.includes('EC2Instance');
  if (Key === 'tag-key') return Values.some((name) => name in instance.tags);
  if (Key.startsWith('tag:')) return Values.includes(instance.tags[Key.slice('tag:'.length)] ?? '');
  return false;
}

function startOf(token: string | undefined): number {
  if (token === undefined) return 0;
  const match = /^from:(\d+)$/.exec(Buffer.from(token, 'base64').toString());
  if (!match) throw new AwsError('InvalidNextToken', '');
  return Number(match[1]);
}
