import type {
  CreateSecurityGroupCommandInput,
  DeleteSecurityGroupCommandInput,
  DescribeSecurityGroupsCommandInput,
  DescribeSubnetsCommandInput,
} from '@aws-sdk/client-ec2';
import { ACCOUNT_ID, AVAILABILITY_ZONES } from '../state/account';
import { newId } from '../state/ids';
import { DEFAULT_VPC_ID, type LocalEc2State } from '../state/local-ec2-state';
import { AwsError } from '../wire';
import { endDryRun } from './ec2-errors';
import { applyFilters } from './filters';
import { page } from './pagination';
import { tagsFor, toTagSet } from './tag-sets';

export const accountHandlers = {
  GetEbsEncryptionByDefault: () => ({ EbsEncryptionByDefault: false }),
  GetEbsDefaultKmsKeyId: () => ({ KmsKeyId: 'alias/aws/ebs' }),
};

export function networkHandlers(state: LocalEc2State) {
  return {
    DescribeSubnets(input: DescribeSubnetsCommandInput) {
      endDryRun(input.DryRun);
      const chosen = input.SubnetIds?.length
        ? input.SubnetIds.map((id) => findSubnet(state, id))
        : [...state.subnets.values()];
      const found = applyFilters(
        chosen,
        input.Filters,
        ({ tags }) => tags,
        (name, subnet) => {
          if (name === 'vpc-id') return [subnet.vpcId];
          if (name === 'subnet-id') return [subnet.subnetId];
          if (name === 'availability-zone') return [subnet.availabilityZone];
          return undefined;
        },
      );
      const { items, NextToken } = page(found, input);
      return {
        Subnets: items.map((subnet) => ({
          SubnetId: subnet.subnetId,
          VpcId: subnet.vpcId,
          AvailabilityZone: subnet.availabilityZone,
          AvailabilityZoneId: AVAILABILITY_ZONES[subnet.availabilityZone],
          CidrBlock: subnet.cidrBlock,
          State: 'available' as const,
          OwnerId: ACCOUNT_ID,
          Tags: toTagSet(subnet.tags),
        })),
        NextToken,
      };
    },
    DescribeSecurityGroups(input: DescribeSecurityGroupsCommandInput) {
      endDryRun(input.DryRun);
      const chosen = input.GroupIds?.length
        ? input.GroupIds.map((id) => findSecurityGroup(state, id))
        : [...state.securityGroups.values()];
      const found = applyFilters(
        chosen,
        input.Filters,
        ({ tags }) => tags,
        (name, group) => {
          if (name === 'vpc-id') return [group.vpcId];
          if (name === 'group-id') return [group.groupId];
          if (name === 'group-name') return [group.groupName];
          return undefined;
        },
      );
      const { items, NextToken } = page(found, input);
      return {
        SecurityGroups: items.map((group) => ({
          GroupId: group.groupId,
          GroupName: group.groupName,
          Description: group.description,
          VpcId: group.vpcId,
          OwnerId: ACCOUNT_ID,
          IpPermissions: [],
          Tags: toTagSet(group.tags),
        })),
        NextToken,
      };
    },
    CreateSecurityGroup(input: CreateSecurityGroupCommandInput) {
      endDryRun(input.DryRun);
      const groupId = newId('sg');
      state.securityGroups.set(groupId, {
        groupId,
        groupName: input.GroupName ?? groupId,
        description: input.Description ?? '',
        vpcId: input.VpcId ?? DEFAULT_VPC_ID,
        tags: tagsFor('security-group', input.TagSpecifications),
      });
      state.changed();
      return { GroupId: groupId };
    },
    DeleteSecurityGroup(input: DeleteSecurityGroupCommandInput) {
      const group = findSecurityGroup(state, input.GroupId ?? '');
      endDryRun(input.DryRun);
      state.securityGroups.delete(group.groupId);
      state.changed();
      return { Return: true, GroupId: group.groupId };
    },
  };
}

export function findSubnet(state: LocalEc2State, subnetId: string) {
  const subnet = state.subnets.get(subnetId);
  if (!subnet) throw new AwsError('InvalidSubnetID.NotFound', `The subnet ID '${subnetId}' does not exist`);
  return subnet;
}

export function findSecurityGroup(state: LocalEc2State, groupId: string) {
  const group = state.securityGroups.get(groupId);
  if (!group) throw new AwsError('InvalidGroup.NotFound', `The security group '${groupId}' does not exist`);
  return group;
}
