import { Aws, Duration } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as sns from 'aws-cdk-lib/aws-sns';
import type { Construct } from 'constructs';
import type { Update as UpdateDocument } from '../core/workflow/updates-document';
import type { CloneNetworkProps } from './constructs/clone-network';
import type { HousekeepingProps } from './constructs/housekeeping';
import type { RunScheduleProps } from './constructs/run-schedule';
import type { FleetTargets, ImageElvesProps } from './image-elves';
import { InvalidPropsError } from './invalid-props-error';
import { Update } from './update';

const DEFAULT_UPDATES = {
  security: Update.packages('security', { description: 'Pending security updates of the distribution' }),
  all: Update.packages('all', { description: 'All pending updates of the distribution' }),
};

/**
 * Settings of the app, from cdk.json or `-c name=value`; a value that is no string may be given as JSON. Whoever needs
 * more writes an app of their own around the construct: examples/ has one.
 * @throws InvalidPropsError
 */
export function propsFromContext(scope: Construct): ImageElvesProps {
  const read = <T>(name: string): T | undefined => contextValue<T>(scope, name);
  const days = (name: string): Duration | undefined => {
    const value = read<number>(name);
    return value === undefined ? undefined : Duration.days(value);
  };
  const updates = read<UpdateDocument[]>('updates');
  const encryptionKeyArn = read<string>('encryptionKeyArn');
  const alarmTopicArn = read<string>('alarmTopicArn');
  return {
    updates:
      updates === undefined
        ? DEFAULT_UPDATES
        : Object.fromEntries(updates.map((update) => [update.name, Update.fromDocument(update)])),
    targets: read<FleetTargets>('targets'),
    schedules: read<Record<string, RunScheduleProps>>('schedules'),
    clones: clonesFromContext(scope, read),
    volumeRetention: days('volumeRetentionDays'),
    housekeeping: read<HousekeepingProps>('housekeeping'),
    maxConcurrency: read<number>('maxConcurrency'),
    toleratedFailurePercentage: read<number>('toleratedFailurePercentage'),
    maxRounds: read<number>('maxRounds'),
    representative: read<'auto' | 'live' | 'clone'>('representative'),
    kernelEngine: yesOrNo('kernelEngine', read('kernelEngine')),
    kernelEnginePackages: read<'pinned' | 'newest'>('kernelEnginePackages'),
    imageFolder: read<string>('imageFolder'),
    bundlesFolder: read<string>('bundlesFolder'),
    ...(encryptionKeyArn === undefined
      ? {}
      : { encryptionKey: kms.Key.fromKeyArn(scope, 'GivenKey', encryptionKeyArn) }),
    ...(alarmTopicArn === undefined
      ? {}
      : { alarmTopic: sns.Topic.fromTopicArn(scope, 'AlarmTopic', alarmTopicArn) }),
  };
}

/** By id, not by lookup: synth needs neither credentials nor network. */
function clonesFromContext(
  scope: Construct,
  read: <T>(name: string) => T | undefined,
): CloneNetworkProps | undefined {
  const vpcId = read<string>('cloneVpcId');
  const subnetId = read<string>('cloneSubnetId');
  if (vpcId === undefined && subnetId === undefined) return undefined;
  if (vpcId === undefined || subnetId === undefined) {
    throw new InvalidPropsError(['context: cloneVpcId and cloneSubnetId belong together']);
  }
  const instanceType = read<string>('cloneInstanceType');
  return {
    // CDK wants to know the zones; a security group, all that is made in the network, does not.
    vpc: ec2.Vpc.fromVpcAttributes(scope, 'CloneVpc', { vpcId, availabilityZones: [Aws.NO_VALUE] }),
    subnet: ec2.Subnet.fromSubnetId(scope, 'CloneSubnet', subnetId),
    ...(instanceType === undefined ? {} : { instanceType: new ec2.InstanceType(instanceType) }),
  };
}

/** @throws InvalidPropsError: a wrong word must not be taken for yes. */
function yesOrNo(name: string, value: unknown): boolean | undefined {
  if (value === undefined || typeof value === 'boolean') return value;
  if (value === 'true' || value === 'false') return value === 'true';
  throw new InvalidPropsError([`context ${name}: ${JSON.stringify(value)} is neither true nor false`]);
}

/** `-c` gives strings, cdk.json gives values. */
function contextValue<T>(scope: Construct, name: string): T | undefined {
  const value: unknown = scope.node.tryGetContext(name);
  if (typeof value !== 'string' || !/^[[{\d]/.test(value)) return value as T | undefined;
  try {
    return JSON.parse(value) as T;
  } catch (cause) {
    throw new InvalidPropsError([`context ${name}: ${String(cause)}`]);
  }
}
