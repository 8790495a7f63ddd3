import { Aws } from 'aws-cdk-lib';
import type * as iam from 'aws-cdk-lib/aws-iam';
import type * as kms from 'aws-cdk-lib/aws-kms';
import { allow } from './allow';

/** Use of the keys that the fleet's own volumes are encrypted with, through EC2 and EBS only. */
export class VolumeKeys {
  private readonly resources: readonly string[];

  /** @param keys undefined: whichever key of this account and Region a volume has */
  constructor(private readonly keys: readonly kms.IKey[] | undefined) {
    this.resources = keys?.map((key) => key.keyArn) ?? [
      `arn:${Aws.PARTITION}:kms:${Aws.REGION}:${Aws.ACCOUNT_ID}:key/*`,
    ];
  }

  /** EBS direct calls use the caller's own session, with kms:ViaService ec2 (not ebs). */
  grantRead(grantee: iam.IGrantable): void {
    this.grantActions(grantee, ['kms:Decrypt', 'kms:DescribeKey']);
  }

  grantWrite(grantee: iam.IGrantable): void {
    this.grantActions(grantee, [
      'kms:Decrypt',
      'kms:DescribeKey',
      'kms:Encrypt',
      'kms:GenerateDataKey',
      'kms:GenerateDataKeyWithoutPlaintext',
      'kms:ReEncryptFrom',
      'kms:ReEncryptTo',
    ]);
  }

  /** An encrypted volume is attached to a machine by a grant to EC2 itself, and to nobody else. */
  grantAttach(grantee: iam.IGrantable): void {
    if (this.resources.length === 0) return;
    allow(grantee, {
      actions: ['kms:CreateGrant'],
      resources: this.resources,
      conditions: { ...this.throughEc2(), Bool: { 'kms:GrantIsForAWSResource': 'true' } },
      ...this.reason(),
    });
  }

  private grantActions(grantee: iam.IGrantable, actions: string[]): void {
    if (this.resources.length === 0) return;
    allow(grantee, { actions, resources: this.resources, conditions: this.throughEc2(), ...this.reason() });
  }

  private throughEc2(): { StringEquals: Record<string, string> } {
    return { StringEquals: { 'kms:ViaService': `ec2.${Aws.REGION}.amazonaws.com` } };
  }

  private reason(): { wildcard?: string } {
    return this.keys === undefined
      ? { wildcard: 'Which keys the fleet uses is known at run time; give volumeKeys to name them.' }
      : {};
  }
}
