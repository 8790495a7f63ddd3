import { Duration, RemovalPolicy, Validations } from 'aws-cdk-lib';
import type * as iam from 'aws-cdk-lib/aws-iam';
import type * as kms from 'aws-cdk-lib/aws-kms';
import * as s3 from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import {
  HOUSEKEEPING_PREFIX,
  LEASES_PREFIX,
  MEMORY_PREFIX,
  PACKS_PREFIX,
  RUNS_PREFIX,
} from '../../core/workflow/keys';
import { allow } from './allow';

export interface RunBucketProps {
  readonly encryptionKey: kms.IKey;
  /** After how long the documents of a run, its report included, are deleted. */
  readonly documentRetention: Duration;
}

/** Where runs keep their documents, the contents of updates, and the leases of machines. */
export class RunBucket extends Construct {
  readonly bucket: s3.Bucket;
  private readonly key: kms.IKey;

  constructor(scope: Construct, id: string, props: RunBucketProps) {
    super(scope, id);
    this.key = props.encryptionKey;
    this.bucket = new s3.Bucket(this, 'Bucket', {
      blockPublicAccess: s3.BlockPublicAccess.BLOCK_ALL,
      objectOwnership: s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
      encryption: s3.BucketEncryption.KMS,
      encryptionKey: props.encryptionKey,
      bucketKeyEnabled: true,
      enforceSSL: true,
      minimumTLSVersion: 1.2,
      versioned: true,
      // Without the documents of a run its volumes cannot be put back, so the bucket outlives its stack.
      removalPolicy: RemovalPolicy.RETAIN,
      lifecycleRules: [
        { id: 'ExpireRuns', prefix: RUNS_PREFIX, expiration: props.documentRetention },
        { id: 'ExpireHousekeeping', prefix: HOUSEKEEPING_PREFIX, expiration: props.documentRetention },
        // It names manifests among the documents of runs, and is of no use without them.
        { id: 'ExpireMemory', prefix: MEMORY_PREFIX, expiration: props.documentRetention },
        { id: 'ExpireOldVersions', noncurrentVersionExpiration: Duration.days(30) },
        { id: 'AbortUploads', abortIncompleteMultipartUploadAfter: Duration.days(7) },
        // packs/ never expires by age: an old pack is used again, unwritten, by a later run that needs the same bytes.
      ],
    });
    Validations.of(this.bucket).acknowledge({
      id: 'AwsSolutions-S1',
      reason:
        'Access logs would need a second bucket that every user pays for; who writes is visible in CloudTrail data events where they are on.',
    });
  }

  /** Read and write the documents of runs. */
  grantDocuments(grantee: iam.IGrantable): void {
    allow(grantee, {
      actions: ['s3:GetObject', 's3:PutObject'],
      resources: [this.bucket.arnForObjects(`${RUNS_PREFIX}*`)],
      wildcard: 'A run names its own documents; they all lie under this prefix.',
    });
    this.grantList(grantee);
    this.grantKey(grantee);
  }

  /** Read the documents of runs, and write none. */
  grantDocumentsRead(grantee: iam.IGrantable): void {
    allow(grantee, {
      actions: ['s3:GetObject'],
      resources: [this.bucket.arnForObjects(`${RUNS_PREFIX}*`)],
      wildcard: 'A run names its own documents; they all lie under this prefix.',
    });
    this.grantList(grantee);
    this.grantKey(grantee);
  }

  /** Write down, over several invocations, what was pruned and swept. */
  grantHousekeeping(grantee: iam.IGrantable): void {
    allow(grantee, {
      actions: ['s3:GetObject', 's3:PutObject'],
      resources: [this.bucket.arnForObjects(`${HOUSEKEEPING_PREFIX}*`)],
      wildcard: 'A document for each day and execution.',
    });
    this.grantKey(grantee);
  }

  grantPacksRead(grantee: iam.IGrantable): void {
    this.grantPacks(grantee, ['s3:GetObject']);
  }

  /** Also to put packs that are not there yet. Nobody may delete one. */
  grantPacksWrite(grantee: iam.IGrantable): void {
    this.grantPacks(grantee, ['s3:GetObject', 's3:PutObject']);
  }

  /** Read which manifests of earlier runs there are. */
  grantMemoryRead(grantee: iam.IGrantable): void {
    this.grantMemory(grantee, 's3:GetObject');
  }

  /** Write down that there is one more. */
  grantMemoryWrite(grantee: iam.IGrantable): void {
    this.grantMemory(grantee, 's3:PutObject');
  }

  /** Take, read and release leases. A released lease is one that has expired: nothing here is ever deleted. */
  grantLeases(grantee: iam.IGrantable): void {
    allow(grantee, {
      actions: ['s3:GetObject', 's3:PutObject'],
      resources: [this.bucket.arnForObjects(`${LEASES_PREFIX}*`)],
      wildcard: 'One lease for each instance, named by its id.',
    });
    this.grantKey(grantee);
  }

  /** What the ItemReader and ResultWriter of a distributed map do. */
  grantMapItems(grantee: iam.IGrantable): void {
    allow(grantee, {
      actions: ['s3:GetObject', 's3:PutObject', 's3:ListMultipartUploadParts', 's3:AbortMultipartUpload'],
      resources: [this.bucket.arnForObjects(`${RUNS_PREFIX}*`)],
      wildcard: 'Items are read from, and results written to, the documents of whatever run it is.',
    });
    this.grantKey(grantee);
  }

  /** Put the output of an update, as the SSM agent does with the rights of its own machine. */
  grantUpdateOutput(grantee: iam.IGrantable): void {
    allow(grantee, {
      actions: ['s3:PutObject'],
      resources: [this.bucket.arnForObjects(`${RUNS_PREFIX}*/classes/*/output/*`)],
      wildcard: 'The name of the run, the class and the command are part of the key.',
    });
    this.grantKey(grantee);
  }

  private grantMemory(grantee: iam.IGrantable, action: string): void {
    allow(grantee, {
      actions: [action],
      resources: [this.bucket.arnForObjects(`${MEMORY_PREFIX}*`)],
      wildcard: 'An entry for each class that was captured, under the digest of its update.',
    });
    this.grantKey(grantee);
  }

  private grantPacks(grantee: iam.IGrantable, actions: string[]): void {
    allow(grantee, {
      actions,
      resources: [this.bucket.arnForObjects(`${PACKS_PREFIX}*`)],
      wildcard: 'Packs are named by the digest of what they hold.',
    });
    this.grantKey(grantee);
  }

  /**
   * Not narrowed to a prefix: reading an object that is not there carries no prefix, and S3 answers 404, which steps tell
   * from 403, only to those who may list.
   */
  private grantList(grantee: iam.IGrantable): void {
    allow(grantee, { actions: ['s3:ListBucket'], resources: [this.bucket.bucketArn] });
  }

  private grantKey(grantee: iam.IGrantable): void {
    allow(grantee, { actions: ['kms:Decrypt', 'kms:GenerateDataKey'], resources: [this.key.keyArn] });
  }
}
