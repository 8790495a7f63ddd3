import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import * as ebsModule from '@aws-sdk/client-ebs';
import * as ec2Module from '@aws-sdk/client-ec2';
import * as lambdaModule from '@aws-sdk/client-lambda';
import * as s3Module from '@aws-sdk/client-s3';
import * as sfnModule from '@aws-sdk/client-sfn';
import * as ssmModule from '@aws-sdk/client-ssm';
import {
  AwsError,
  createService,
  inProcessHandler,
  NoAnswer,
  routeByCredentialScope,
  serveWire,
  type Handler,
  type WireServer,
  type WireService,
} from '../../../local/wire';

const BLOCK = Buffer.alloc(524_288, 7);
const CHECKSUM = createHash('sha256').update(BLOCK).digest('base64');

/** What the handlers were last given, by operation. */
const seen: Record<string, unknown> = {};
const objects = new Map<string, Buffer>();

function noting(name: string, answer: unknown): Handler {
  return (input) => {
    seen[name] = input;
    return answer;
  };
}

const services: Record<string, WireService> = {
  ec2: createService(ec2Module, {
    DescribeInstances: noting('DescribeInstances', {
      Reservations: [
        {
          ReservationId: 'r-1',
          Instances: [
            {
              InstanceId: 'i-1',
              LaunchTime: new Date(0),
              State: { Code: 16, Name: 'running' },
              Tags: [{ Key: 'a', Value: '<b> & "c"' }],
              BlockDeviceMappings: [
                { DeviceName: '/dev/xvda', Ebs: { VolumeId: 'vol-1', DeleteOnTermination: true } },
              ],
            },
          ],
        },
      ],
    }),
    CreateSnapshots: noting('CreateSnapshots', {
      Snapshots: [{ SnapshotId: 'snap-1', StartTime: new Date(1e12) }],
    }),
    RunInstances: noting('RunInstances', { Instances: [{ InstanceId: 'i-9' }] }),
    DeleteSnapshot: noting('DeleteSnapshot', undefined),
    CreateSnapshot: () => {
      throw new AwsError('InvalidVolume.NotFound', "The volume 'vol-<0>' does not exist.");
    },
    StopInstances: () => {
      throw new NoAnswer();
    },
  }),
  ebs: createService(
    ebsModule,
    {
      GetSnapshotBlock: noting('GetSnapshotBlock', {
        DataLength: BLOCK.length,
        BlockData: BLOCK,
        Checksum: CHECKSUM,
        ChecksumAlgorithm: 'SHA256',
      }),
      PutSnapshotBlock: noting('PutSnapshotBlock', { Checksum: CHECKSUM, ChecksumAlgorithm: 'SHA256' }),
      ListSnapshotBlocks: () => {
        throw new AwsError('ResourceNotFoundException', "The snapshot 's' does not exist.", 404, {
          Message: "The snapshot 's' does not exist.",
          Reason: 'SNAPSHOT_NOT_FOUND',
        });
      },
      ListChangedBlocks: noting('ListChangedBlocks', {
        ChangedBlocks: [{ BlockIndex: 1, SecondBlockToken: 'q' }],
      }),
    },
    { explicitNulls: {} },
  ),
  ssm: createService(ssmModule, {
    SendCommand: noting('SendCommand', { Command: { CommandId: 'c', RequestedDateTime: new Date(1.7e12) } }),
    GetCommandInvocation: () => {
      throw new AwsError('InvocationDoesNotExist', 'An error occurred.');
    },
  }),
  states: createService(sfnModule, {
    StartExecution: noting('StartExecution', { executionArn: 'arn:e', startDate: new Date(1.7e12) }),
  }),
  lambda: createService(lambdaModule, {
    Invoke: noting('Invoke', {
      StatusCode: 200,
      FunctionError: 'Unhandled',
      Payload: Buffer.from('{"ok":1}'),
    }),
  }),
  s3: createService(s3Module, {
    PutObject: (input: { Bucket: string; Key: string; Body: Buffer; ChecksumCRC32?: string }) => {
      seen['PutObject'] = input;
      objects.set(`${input.Bucket}/${input.Key}`, input.Body);
      return { ETag: '"e"', ChecksumCRC32: input.ChecksumCRC32 };
    },
    CopyObject: noting('CopyObject', { CopyObjectResult: { ETag: '"c"' } }),
    GetObject: (input: { Bucket: string; Key: string }) => {
      const body = objects.get(`${input.Bucket}/${input.Key}`);
      if (!body) throw new AwsError('NoSuchKey', 'The specified key does not exist.', 404);
      return { Body: body, ETag: '"e"', ContentType: 'text/plain', Metadata: { colour: 'red' } };
    },
    HeadObject: (input: { Key: string }) => {
      if (input.Key !== 'there') throw new AwsError('NotFound', '', 404);
      return { ContentLength: 3 };
    },
    ListBuckets: noting('ListBuckets', { Buckets: [{ Name: 'one' }] }),
    ListObjectsV2: noting('ListObjectsV2', { KeyCount: 1, Contents: [{ Key: 'a&b', Size: 3 }] }),
    CompleteMultipartUpload: noting('CompleteMultipartUpload', { ETag: '"m"' }),
    DeleteObject: noting('DeleteObject', { $status: 204 }),
  }),
};

let server: WireServer;

beforeAll(async () => {
  server = await serveWire(services, 0);
});

afterAll(() => server.close());

const credentials = { accessKeyId: 'x', secretAccessKey: 'y' };
const transports = [
  ['loopback HTTP', () => ({ endpoint: server.url })],
  [
    'in process',
    () => ({
      endpoint: 'http://127.0.0.1',
      requestHandler: inProcessHandler(routeByCredentialScope(services)),
    }),
  ],
] as const;

describe.each(transports)('SDK v3 clients over %s', (_name, transport) => {
  const options = () => ({ ...transport(), region: 'eu-west-1', credentials, maxAttempts: 1 });

  test('ec2Query: nested parameters in, XML out', async () => {
    const ec2 = new ec2Module.EC2Client(options());
    const input = { Filters: [{ Name: 'tag:x', Values: ['1', '2'] }], MaxResults: 5, DryRun: false };
    const answer = await ec2.send(new ec2Module.DescribeInstancesCommand(input));
    expect(seen['DescribeInstances']).toEqual(input);
    expect(answer.Reservations?.[0]?.Instances?.[0]).toEqual({
      InstanceId: 'i-1',
      LaunchTime: new Date(0),
      State: { Code: 16, Name: 'running' },
      Tags: [{ Key: 'a', Value: '<b> & "c"' }],
      BlockDeviceMappings: [
        { DeviceName: '/dev/xvda', Ebs: { VolumeId: 'vol-1', DeleteOnTermination: true } },
      ],
    });
  });

  test('ec2Query: lists of structures, empty outputs and error codes', async () => {
    const ec2 = new ec2Module.EC2Client(options());
    const run = {
      MinCount: 1,
      MaxCount: 1,
      NetworkInterfaces: [{ DeviceIndex: 0, Groups: ['sg-1'], SubnetId: 's' }],
      TagSpecifications: [{ ResourceType: 'instance' as const, Tags: [{ Key: 'k', Value: '' }] }],
      ClientToken: 't',
    };
    await ec2.send(new ec2Module.RunInstancesCommand(run));
    expect(seen['RunInstances']).toEqual(run);
    const snapshots = await ec2.send(
      new ec2Module.CreateSnapshotsCommand({
        InstanceSpecification: { InstanceId: 'i-1', ExcludeBootVolume: false },
      }),
    );
    expect(snapshots.Snapshots).toEqual([{ SnapshotId: 'snap-1', StartTime: new Date(1e12) }]);
    await ec2.send(new ec2Module.DeleteSnapshotCommand({ SnapshotId: 'snap-1' }));
    expect(seen['DeleteSnapshot']).toEqual({ SnapshotId: 'snap-1' });
    await expect(ec2.send(new ec2Module.CreateSnapshotCommand({ VolumeId: 'vol-0' }))).rejects.toMatchObject({
      name: 'InvalidVolume.NotFound',
      message: "The volume 'vol-<0>' does not exist.",
      $metadata: { httpStatusCode: 400, requestId: expect.stringMatching(/^[0-9a-f-]{36}$/) as string },
    });
  });

  test('ec2Query: known but not emulated is 501; no answer at all closes the connection', async () => {
    const ec2 = new ec2Module.EC2Client(options());
    await expect(ec2.send(new ec2Module.DescribeVpcsCommand({}))).rejects.toMatchObject({
      name: 'NotImplemented',
      $metadata: { httpStatusCode: 501 },
    });
    await expect(ec2.send(new ec2Module.StopInstancesCommand({ InstanceIds: ['i-1'] }))).rejects.toThrow(
      'socket hang up',
    );
  });

  test('restJson1: headers, blobs, modelled errors with their reason', async () => {
    const ebs = new ebsModule.EBSClient(options());
    const got = await ebs.send(
      new ebsModule.GetSnapshotBlockCommand({ SnapshotId: 's', BlockIndex: 3, BlockToken: 'a+/=' }),
    );
    expect(seen['GetSnapshotBlock']).toEqual({ SnapshotId: 's', BlockIndex: 3, BlockToken: 'a+/=' });
    expect(got).toMatchObject({ DataLength: 524_288, Checksum: CHECKSUM });
    expect(Buffer.from((await got.BlockData?.transformToByteArray()) ?? []).equals(BLOCK)).toBe(true);
    const put = {
      SnapshotId: 's',
      BlockIndex: 0,
      DataLength: 524_288,
      Checksum: CHECKSUM,
      ChecksumAlgorithm: 'SHA256' as const,
    };
    await ebs.send(new ebsModule.PutSnapshotBlockCommand({ ...put, BlockData: BLOCK }));
    const { BlockData, ...rest } = seen['PutSnapshotBlock'] as { BlockData: Buffer };
    expect(rest).toEqual(put);
    expect(BLOCK.equals(BlockData)).toBe(true);
    await expect(
      ebs.send(new ebsModule.ListSnapshotBlocksCommand({ SnapshotId: 's' })),
    ).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
      Reason: 'SNAPSHOT_NOT_FOUND',
    });
  });

  test('awsJson 1.0 and 1.1, and Lambda payloads', async () => {
    const ssm = new ssmModule.SSMClient(options());
    const send = {
      DocumentName: 'AWS-RunShellScript',
      Parameters: { commands: ['id', 'true'] },
      InstanceIds: ['i-1'],
    };
    const sent = await ssm.send(new ssmModule.SendCommandCommand(send));
    expect(seen['SendCommand']).toEqual(send);
    expect(sent.Command).toEqual({ CommandId: 'c', RequestedDateTime: new Date(1.7e12) });
    await expect(
      ssm.send(new ssmModule.GetCommandInvocationCommand({ CommandId: 'c'.repeat(36), InstanceId: 'i-1' })),
    ).rejects.toBeInstanceOf(ssmModule.InvocationDoesNotExist);
    const sfn = new sfnModule.SFNClient(options());
    expect(
      await sfn.send(new sfnModule.StartExecutionCommand({ stateMachineArn: 'a', input: '{}' })),
    ).toMatchObject({
      executionArn: 'arn:e',
      startDate: new Date(1.7e12),
    });
    const lambda = new lambdaModule.LambdaClient(options());
    const invoked = await lambda.send(
      new lambdaModule.InvokeCommand({ FunctionName: 'arn:f', Payload: '{"a":1}' }),
    );
    expect(Buffer.from((seen['Invoke'] as { Payload: Uint8Array }).Payload).toString()).toBe('{"a":1}');
    expect(invoked).toMatchObject({ StatusCode: 200, FunctionError: 'Unhandled' });
    expect(invoked.Payload?.transformToString()).toBe('{"ok":1}');
  });

  test('S3: path style, streams in aws-chunked framing, copies, listings, 404 of HEAD', async () => {
    const s3 = new s3Module.S3Client({ ...options(), forcePathStyle: true });
    await s3.send(
      new s3Module.PutObjectCommand({ Bucket: 'bkt', Key: 'a/b c+d', Body: 'plain', Metadata: { x: 'y' } }),
    );
    expect(seen['PutObject']).toMatchObject({ Bucket: 'bkt', Key: 'a/b c+d', Metadata: { x: 'y' } });
    const chunks = ['one', 'two', 'three'].map((text) => Buffer.from(text.repeat(1000)));
    await s3.send(
      new s3Module.PutObjectCommand({
        Bucket: 'bkt',
        Key: 'streamed',
        Body: Readable.from(chunks),
        ContentLength: Buffer.concat(chunks).length,
      }),
    );
    expect(seen['PutObject']).toMatchObject({ ChecksumCRC32: expect.any(String) as string });
    const got = await s3.send(new s3Module.GetObjectCommand({ Bucket: 'bkt', Key: 'streamed' }));
    expect(await got.Body?.transformToString()).toBe(Buffer.concat(chunks).toString());
    expect(got).toMatchObject({ ContentType: 'text/plain', Metadata: { colour: 'red' } });
    await s3.send(new s3Module.CopyObjectCommand({ Bucket: 'bkt', Key: 'k', CopySource: 'bkt/j' }));
    expect(seen['CopyObject']).toMatchObject({ CopySource: 'bkt/j', Key: 'k' });
    await expect(s3.send(new s3Module.GetObjectCommand({ Bucket: 'bkt', Key: 'no' }))).rejects.toBeInstanceOf(
      s3Module.NoSuchKey,
    );
    await expect(
      s3.send(new s3Module.HeadObjectCommand({ Bucket: 'bkt', Key: 'no' })),
    ).rejects.toBeInstanceOf(s3Module.NotFound);
    expect(
      (await s3.send(new s3Module.ListObjectsV2Command({ Bucket: 'bkt', Prefix: 'a' }))).Contents,
    ).toEqual([{ Key: 'a&b', Size: 3 }]);
    expect(seen['ListObjectsV2']).toEqual({ Bucket: 'bkt', Prefix: 'a' });
    expect((await s3.send(new s3Module.ListBucketsCommand({}))).Buckets).toEqual([{ Name: 'one' }]);
    const parts = { Parts: [{ ETag: '"p"', PartNumber: 1 }] };
    await s3.send(
      new s3Module.CompleteMultipartUploadCommand({
        Bucket: 'bkt',
        Key: 'k',
        UploadId: 'u',
        MultipartUpload: parts,
      }),
    );
    expect(seen['CompleteMultipartUpload']).toMatchObject({ UploadId: 'u', MultipartUpload: parts });
    await s3.send(new s3Module.DeleteObjectCommand({ Bucket: 'bkt', Key: 'k' }));
  });
});

test('HEAD carries the length of the body it does not send', async () => {
  const s3 = new s3Module.S3Client({ endpoint: server.url, region: 'x', credentials, forcePathStyle: true });
  expect((await s3.send(new s3Module.HeadObjectCommand({ Bucket: 'bkt', Key: 'there' }))).ContentLength).toBe(
    3,
  );
});

test('EBS answers hold every member, absent ones as null', async () => {
  const answer = await services['ebs']?.({
    method: 'GET',
    path: '/snapshots/s/changedblocks',
    query: { firstSnapshotId: 'r' },
    headers: {},
    body: Buffer.alloc(0),
  });
  expect(String(answer?.body)).toBe(
    '{"BlockSize":null,"ChangedBlocks":[{"BlockIndex":1,"FirstBlockToken":null,"SecondBlockToken":"q"}],' +
      '"ExpiryTime":null,"NextToken":null,"VolumeSize":null}',
  );
});

test('an unsigned request is refused with the reason', async () => {
  const answer = await fetch(`${server.url}/`, { method: 'POST', body: 'Action=DescribeInstances' });
  expect(answer.status).toBe(403);
  expect(await answer.text()).toContain('not signed');
});

test('a body over the limit is refused', async () => {
  const small = await serveWire(services, 0, { bodyLimitBytes: 10 });
  const answer = await fetch(small.url, { method: 'POST', body: 'x'.repeat(11) });
  expect(answer.status).toBe(413);
  await small.close();
});

test('a handler for an operation the service does not have is a mistake at start', () => {
  expect(() => createService(ec2Module, { DescribeInstance: () => undefined })).toThrow('DescribeInstance');
});
