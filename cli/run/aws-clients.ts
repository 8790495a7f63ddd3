import { EC2Client } from '@aws-sdk/client-ec2';
import { S3Client } from '@aws-sdk/client-s3';
import { SFNClient } from '@aws-sdk/client-sfn';
import { SSMClient } from '@aws-sdk/client-ssm';

/** The clients the command needs, all of one endpoint. */
export interface AwsClients {
  readonly ec2: EC2Client;
  readonly s3: S3Client;
  readonly sfn: SFNClient;
  readonly ssm: SSMClient;
}

/** Clients of an embedded cloud. Its loopback port takes any credentials. */
export function clientsOf(endpoint: string): AwsClients {
  const settings = {
    endpoint,
    region: 'eu-west-1',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  };
  return {
    ec2: new EC2Client(settings),
    s3: new S3Client({ ...settings, forcePathStyle: true }),
    sfn: new SFNClient(settings),
    ssm: new SSMClient(settings),
  };
}
