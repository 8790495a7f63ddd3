import { EBSClient } from '@aws-sdk/client-ebs';
import { EC2Client } from '@aws-sdk/client-ec2';
import { S3Client } from '@aws-sdk/client-s3';
import { SSMClient } from '@aws-sdk/client-ssm';

/** The services this project calls, each by one client a process. */
export interface AwsClients {
  readonly ebs: EBSClient;
  readonly ec2: EC2Client;
  readonly s3: S3Client;
  readonly ssm: SSMClient;
  /** Tries once. For SendCommand: it takes no client token, so a try whose answer was lost must not be repeated unseen. */
  readonly ssmOnce: SSMClient;
}

/**
 * The one retry layer. `adaptive` slows the whole client down when a service throttles; AccessDenied and validation errors
 * are not retried by it. Eight attempts are about a minute at the SDK's backoff, within every step's time.
 */
const RETRY = { retryMode: 'adaptive', maxAttempts: 8 } as const;

/**
 * Some PutSnapshotBlock requests hang without an error (coldsnap issue 437): a request that takes 20 s is given up and
 * tried again. 3 s is ample for a connection within a Region.
 */
const TIMEOUTS = { connectionTimeout: 3_000, requestTimeout: 20_000, throwOnRequestTimeout: true };

/** Block calls go out in parallel: one socket each, plus a few for listings. */
const BLOCK_SOCKETS = 96;

/** @param endpoint given, every service is there (an embedded cloud); S3 then has no host name per bucket */
export function createClients(endpoint: string | undefined): AwsClients {
  const agent = { maxSockets: BLOCK_SOCKETS, keepAlive: true };
  const common = { ...RETRY, ...(endpoint === undefined ? {} : { endpoint }) };
  return {
    ebs: new EBSClient({ ...common, requestHandler: { ...TIMEOUTS, httpsAgent: agent, httpAgent: agent } }),
    ec2: new EC2Client({ ...common, requestHandler: TIMEOUTS }),
    s3: new S3Client({ ...common, requestHandler: TIMEOUTS, forcePathStyle: endpoint !== undefined }),
    ssm: new SSMClient({ ...common, requestHandler: TIMEOUTS }),
    ssmOnce: new SSMClient({ ...common, requestHandler: TIMEOUTS, maxAttempts: 1 }),
  };
}
