import { Aws } from 'aws-cdk-lib';
import type * as iam from 'aws-cdk-lib/aws-iam';
import { TAGS } from '../../core/workflow/keys';
import { allow } from './allow';
import type { VolumeKeys } from './volume-keys';

const OF_A_RUN = { [`aws:ResourceTag/${TAGS.run}`]: '?*' };
const FOR_A_RUN = { [`aws:RequestTag/${TAGS.run}`]: '?*' };
const ANY_TARGET =
  'Targets are chosen by the input of a run, by tag or id, so any instance of the account may be one.';
const ANY_ID = 'AWS chooses the id; the condition on the tag of a run narrows it to what runs made.';

const ec2Arn = (type: string): string => `arn:${Aws.PARTITION}:ec2:${Aws.REGION}:${Aws.ACCOUNT_ID}:${type}/*`;
const INSTANCES = ec2Arn('instance');
const VOLUMES = ec2Arn('volume');
/** Snapshots and images have no account in their ARN. */
const SNAPSHOTS = `arn:${Aws.PARTITION}:ec2:${Aws.REGION}::snapshot/*`;

/**
 * AWS's own documents have no account in their ARN; their names begin as no others may (API_CreateDocument, Name). A name
 * that is an ARN is one.
 */
function documentArn(name: string): string {
  if (name.startsWith('arn:')) return name;
  const account = /^(aws|amazon|amzn)/i.test(name) ? '' : Aws.ACCOUNT_ID;
  return `arn:${Aws.PARTITION}:ssm:${Aws.REGION}:${account}:document/${name}`;
}

/** What a step may do to machines, volumes and snapshots: one method for each need named in core/workflow/steps.ts. */
export class FleetRights {
  constructor(
    private readonly keys: VolumeKeys,
    /** Documents of Systems Manager that updates name. */
    private readonly documents: readonly string[] = [],
  ) {}

  grantFleetRead(grantee: iam.IGrantable): void {
    allow(grantee, {
      actions: [
        'ec2:DescribeImages',
        'ec2:DescribeInstanceAttribute',
        'ec2:DescribeInstances',
        'ec2:DescribeSnapshots',
        'ec2:DescribeVolumes',
      ],
      resources: ['*'],
      wildcard: 'The Describe actions of EC2 know no resources.',
    });
  }

  grantSnapshotsCreate(grantee: iam.IGrantable): void {
    allow(grantee, { actions: ['ec2:CreateSnapshot'], resources: [VOLUMES], wildcard: ANY_TARGET });
    allow(grantee, {
      actions: ['ec2:CreateSnapshot'],
      resources: [SNAPSHOTS],
      conditions: { StringLike: FOR_A_RUN },
      wildcard: ANY_ID,
    });
    this.grantTagging(grantee, [SNAPSHOTS], ['CreateSnapshot']);
  }

  grantBlocksRead(grantee: iam.IGrantable): void {
    allow(grantee, {
      actions: ['ebs:GetSnapshotBlock', 'ebs:ListChangedBlocks', 'ebs:ListSnapshotBlocks'],
      resources: [SNAPSHOTS],
      conditions: { StringLike: OF_A_RUN },
      wildcard: ANY_ID,
    });
    this.keys.grantRead(grantee);
  }

  grantBlocksWrite(grantee: iam.IGrantable): void {
    // Two statements: the tags asked for authorise the new snapshot, its own tags authorise the parent.
    allow(grantee, {
      actions: ['ebs:StartSnapshot'],
      resources: [SNAPSHOTS],
      conditions: { StringLike: FOR_A_RUN },
      wildcard: ANY_ID,
    });
    allow(grantee, {
      actions: ['ebs:CompleteSnapshot', 'ebs:PutSnapshotBlock', 'ebs:StartSnapshot'],
      resources: [SNAPSHOTS],
      conditions: { StringLike: OF_A_RUN },
      wildcard: ANY_ID,
    });
    // StartSnapshot is not among the documented values of ec2:CreateAction, so the tags themselves are the condition:
    // the tag of a run, on a snapshot that carries none yet.
    allow(grantee, {
      actions: ['ec2:CreateTags'],
      resources: [SNAPSHOTS],
      conditions: { StringLike: FOR_A_RUN, Null: { [`aws:ResourceTag/${TAGS.run}`]: 'true' } },
      wildcard: ANY_ID,
    });
    this.keys.grantWrite(grantee);
  }

  grantVolumesCreate(grantee: iam.IGrantable): void {
    allow(grantee, {
      actions: ['ec2:CreateVolume'],
      resources: [VOLUMES],
      conditions: { StringLike: FOR_A_RUN },
      wildcard: ANY_ID,
    });
    allow(grantee, {
      actions: ['ec2:CreateVolume'],
      resources: [SNAPSHOTS],
      conditions: { StringLike: OF_A_RUN },
      wildcard: ANY_ID,
    });
    this.grantTagging(grantee, [VOLUMES], ['CreateVolume']);
    this.keys.grantWrite(grantee);
    this.keys.grantAttach(grantee);
  }

  grantVolumesSwap(grantee: iam.IGrantable): void {
    allow(grantee, {
      actions: ['ec2:AttachVolume', 'ec2:DetachVolume'],
      resources: [INSTANCES, VOLUMES],
      wildcard: ANY_TARGET,
    });
    allow(grantee, {
      actions: ['ec2:ModifyInstanceAttribute'],
      resources: [INSTANCES],
      wildcard: `${ANY_TARGET} It sets DeleteOnTermination of the new volume to what the old one had.`,
    });
    allow(grantee, {
      actions: ['ec2:CreateTags', 'ec2:DeleteTags'],
      resources: [VOLUMES],
      conditions: {
        'ForAllValues:StringLike': { 'aws:TagKeys': ['imageelves:*'] },
        Null: { 'aws:TagKeys': 'false' },
      },
      wildcard: 'Old and new volumes get and lose tags of ours, and no others.',
    });
    this.keys.grantAttach(grantee);
  }

  grantRunCommand(grantee: iam.IGrantable): void {
    allow(grantee, {
      actions: ['ssm:SendCommand'],
      resources: [...new Set(['AWS-RunShellScript', ...this.documents].map(documentArn))],
    });
    allow(grantee, { actions: ['ssm:SendCommand'], resources: [INSTANCES], wildcard: ANY_TARGET });
    allow(grantee, {
      actions: [
        'ssm:GetCommandInvocation',
        // Of a document with several steps.
        ...(this.documents.length > 0 ? ['ssm:ListCommandInvocations'] : []),
        'ssm:ListCommands',
      ],
      resources: ['*'],
      wildcard: 'Commands are no resources that IAM knows.',
    });
  }

  grantAgentsRead(grantee: iam.IGrantable): void {
    allow(grantee, {
      actions: ['ssm:DescribeInstanceInformation'],
      resources: ['*'],
      wildcard: 'DescribeInstanceInformation knows no resources.',
    });
  }

  grantComplianceWrite(grantee: iam.IGrantable): void {
    allow(grantee, {
      actions: ['ssm:PutComplianceItems'],
      resources: ['*'],
      wildcard: 'PutComplianceItems knows no resources.',
    });
  }

  grantSnapshotsDelete(grantee: iam.IGrantable): void {
    allow(grantee, {
      actions: ['ec2:DeleteSnapshot'],
      resources: [SNAPSHOTS],
      // A backup may copy the tag of the run from its volume; the second tag is on no volume.
      conditions: { StringLike: { ...OF_A_RUN, [`aws:ResourceTag/${TAGS.volume}`]: '?*' } },
      wildcard: ANY_ID,
    });
  }

  /** Volumes that a swap has put out of use, and to say of those that are in use again that they are. */
  grantOldVolumesDelete(grantee: iam.IGrantable): void {
    const outOfUse = {
      StringLike: OF_A_RUN,
      Null: { [`aws:ResourceTag/${TAGS.retainUntil}`]: 'false' },
    };
    allow(grantee, {
      actions: ['ec2:DeleteVolume'],
      resources: [VOLUMES],
      conditions: outOfUse,
      wildcard: ANY_ID,
    });
    allow(grantee, {
      actions: ['ec2:DeleteTags'],
      resources: [VOLUMES],
      conditions: {
        ...outOfUse,
        'ForAllValues:StringEquals': { 'aws:TagKeys': [TAGS.replacedBy, TAGS.retainUntil] },
        Null: { ...outOfUse.Null, 'aws:TagKeys': 'false' },
      },
      wildcard: ANY_ID,
    });
  }

  /** Volumes that a run made and that were never put out of use. */
  grantNewVolumesDelete(grantee: iam.IGrantable): void {
    allow(grantee, {
      actions: ['ec2:DeleteVolume'],
      resources: [VOLUMES],
      conditions: {
        StringLike: OF_A_RUN,
        StringEquals: { [`aws:ResourceTag/${TAGS.purpose}`]: 'patched' },
        Null: { [`aws:ResourceTag/${TAGS.retainUntil}`]: 'true' },
      },
      wildcard: ANY_ID,
    });
  }

  /** Tags in the very call that makes the resource, and at no other time. */
  private grantTagging(grantee: iam.IGrantable, resources: string[], createActions: string[]): void {
    allow(grantee, {
      actions: ['ec2:CreateTags'],
      resources,
      conditions: { StringEquals: { 'ec2:CreateAction': createActions } },
      wildcard: ANY_ID,
    });
  }
}
