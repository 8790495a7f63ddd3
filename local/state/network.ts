import { AVAILABILITY_ZONES, DEFAULT_AVAILABILITY_ZONE } from './account';
import { DEFAULT_VPC_ID, type LocalEc2State } from './local-ec2-state';

const text = (value: unknown, otherwise: string): string =>
  typeof value === 'string' && value !== '' ? value : otherwise;

/** Makes a security group known under an id that a template gave it; properties as of `AWS::EC2::SecurityGroup`. */
export function adoptSecurityGroup(
  state: LocalEc2State,
  groupId: string,
  properties: Readonly<Record<string, unknown>>,
): void {
  state.securityGroups.set(groupId, {
    groupId,
    groupName: text(properties['GroupName'], groupId),
    description: text(properties['GroupDescription'], ''),
    vpcId: text(properties['VpcId'], DEFAULT_VPC_ID),
    tags: {},
  });
  state.changed();
}

/** Makes a subnet known under an id that a template gave it; properties as of `AWS::EC2::Subnet`. */
export function adoptSubnet(
  state: LocalEc2State,
  subnetId: string,
  properties: Readonly<Record<string, unknown>>,
): void {
  const zone = text(properties['AvailabilityZone'], DEFAULT_AVAILABILITY_ZONE);
  state.subnets.set(subnetId, {
    subnetId,
    vpcId: text(properties['VpcId'], DEFAULT_VPC_ID),
    availabilityZone: zone in AVAILABILITY_ZONES ? zone : DEFAULT_AVAILABILITY_ZONE,
    cidrBlock: text(properties['CidrBlock'], '10.2.0.0/16'),
    tags: {},
  });
  state.changed();
}
