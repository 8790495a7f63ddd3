import { Aws, Validations } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as iam from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import { TAGS } from '../../core/workflow/keys';
import { allow } from './allow';
import type { BundledFunction } from './bundled-function';
import type { VolumeKeys } from './volume-keys';

/** Where clones start. A clone stands in for a class of which no member runs, and is its witness where no second one runs. */
export interface CloneNetworkProps {
  readonly vpc: ec2.IVpc;
  /**
   * Needs a way to Systems Manager: a NAT gateway, or the interface endpoints ssm and ssmmessages; and to the package
   * repositories, for updates of packages.
   */
  readonly subnet: ec2.ISubnet;
  /**
   * An instance type for all clones.
   *
   * @default - the type of the original
   */
  readonly instanceType?: ec2.InstanceType;
}

const OF_A_CLONE = { StringEquals: { [`aws:ResourceTag/${TAGS.purpose}`]: 'clone' } };
const FOR_A_CLONE = { StringEquals: { [`aws:RequestTag/${TAGS.purpose}`]: 'clone' } };
const ANY_ID = 'AWS chooses the id; the condition on the tag narrows it to clones.';

const ec2Arn = (type: string): string => `arn:${Aws.PARTITION}:ec2:${Aws.REGION}:${Aws.ACCOUNT_ID}:${type}/*`;
const IMAGES = `arn:${Aws.PARTITION}:ec2:${Aws.REGION}::image/*`;
const SNAPSHOTS = `arn:${Aws.PARTITION}:ec2:${Aws.REGION}::snapshot/*`;

/** A security group that lets nothing in, and the identity that lets a clone's SSM agent register and nothing else. */
export class CloneNetwork extends Construct {
  readonly securityGroup: ec2.SecurityGroup;
  readonly role: iam.Role;
  private readonly profile: iam.CfnInstanceProfile;

  constructor(
    scope: Construct,
    id: string,
    private readonly props: CloneNetworkProps,
  ) {
    super(scope, id);
    this.securityGroup = new ec2.SecurityGroup(this, 'Isolated', {
      vpc: props.vpc,
      description: 'Clones made by ImageElves: nothing may come in, only HTTPS, HTTP and DNS go out',
      allowAllOutbound: false,
    });
    const out: [ec2.Port, string][] = [
      [ec2.Port.tcp(443), 'Systems Manager and package repositories'],
      [ec2.Port.tcp(80), 'Package repositories: signed packages over HTTP'],
      [ec2.Port.udp(53), 'DNS'],
    ];
    for (const [port, what] of out) this.securityGroup.addEgressRule(ec2.Peer.anyIpv4(), port, what);

    this.role = new iam.Role(this, 'Role', {
      description: 'Lets the SSM agent of a clone register; a clone has none of the rights of its original',
      assumedBy: new iam.ServicePrincipal('ec2.amazonaws.com'),
      managedPolicies: [iam.ManagedPolicy.fromAwsManagedPolicyName('AmazonSSMManagedInstanceCore')],
    });
    Validations.of(this.role).acknowledge({
      id: `AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/AmazonSSMManagedInstanceCore]`,
      reason: 'The policy that AWS keeps in step with what the SSM agent needs.',
    });
    this.profile = new iam.CfnInstanceProfile(this, 'Profile', { roles: [this.role.roleName] });
  }

  /** Launch clones here: the permissions, and the variables that say where. */
  grantLaunch(step: BundledFunction, keys: VolumeKeys): void {
    const { subnet, instanceType } = this.props;
    step.setVariable('CLONE_SUBNET_ID', subnet.subnetId);
    step.setVariable('CLONE_SECURITY_GROUP_IDS', this.securityGroup.securityGroupId);
    step.setVariable('CLONE_INSTANCE_PROFILE', this.profile.ref);
    if (instanceType !== undefined) step.setVariable('CLONE_INSTANCE_TYPE', instanceType.toString());
    const { role } = step;
    allow(role, {
      actions: ['ec2:RegisterImage'],
      resources: [IMAGES],
      conditions: FOR_A_CLONE,
      wildcard: ANY_ID,
    });
    allow(role, {
      actions: ['ec2:RegisterImage', 'ec2:RunInstances'],
      resources: [SNAPSHOTS],
      conditions: { StringLike: { [`aws:ResourceTag/${TAGS.run}`]: '?*' } },
      wildcard: ANY_ID,
    });
    allow(role, {
      actions: ['ec2:RunInstances'],
      resources: [IMAGES],
      conditions: OF_A_CLONE,
      wildcard: ANY_ID,
    });
    allow(role, {
      actions: ['ec2:RunInstances'],
      resources: [ec2Arn('instance'), ec2Arn('volume')],
      conditions: FOR_A_CLONE,
      wildcard: ANY_ID,
    });
    allow(role, {
      actions: ['ec2:RunInstances'],
      resources: [ec2Arn('network-interface')],
      conditions: { ArnEquals: { 'ec2:Subnet': this.subnetArn() } },
      wildcard: 'AWS chooses the id; the condition narrows it to the subnet of clones.',
    });
    allow(role, { actions: ['ec2:RunInstances'], resources: [this.subnetArn(), this.securityGroupArn()] });
    allow(role, {
      actions: ['ec2:CreateTags'],
      resources: [IMAGES, ec2Arn('instance'), ec2Arn('volume'), ec2Arn('network-interface')],
      conditions: { StringEquals: { 'ec2:CreateAction': ['RegisterImage', 'RunInstances'] } },
      wildcard: ANY_ID,
    });
    allow(role, {
      actions: ['iam:PassRole'],
      resources: [this.role.roleArn],
      conditions: { StringEquals: { 'iam:PassedToService': 'ec2.amazonaws.com' } },
    });
    keys.grantWrite(role);
    keys.grantAttach(role);
  }

  private subnetArn(): string {
    return `arn:${Aws.PARTITION}:ec2:${Aws.REGION}:${Aws.ACCOUNT_ID}:subnet/${this.props.subnet.subnetId}`;
  }

  private securityGroupArn(): string {
    return `arn:${Aws.PARTITION}:ec2:${Aws.REGION}:${Aws.ACCOUNT_ID}:security-group/${this.securityGroup.securityGroupId}`;
  }
}

/** Terminate clones and remove their images: whatever the network is now, a clone of an earlier one may be there. */
export function grantClonesTerminate(grantee: iam.IGrantable): void {
  allow(grantee, {
    actions: ['ec2:TerminateInstances'],
    resources: [ec2Arn('instance')],
    conditions: OF_A_CLONE,
    wildcard: ANY_ID,
  });
  allow(grantee, {
    actions: ['ec2:DeregisterImage'],
    resources: [IMAGES],
    conditions: OF_A_CLONE,
    wildcard: ANY_ID,
  });
}
