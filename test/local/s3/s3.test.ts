import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteBucketCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  GetObjectTaggingCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListBucketsCommand,
  ListObjectsV2Command,
  NoSuchKey,
  PutObjectCommand,
  UploadPartCommand,
  type GetObjectCommandInput,
  type PutObjectCommandInput,
  type S3Client,
} from '@aws-sdk/client-s3';
import { serveS3 } from './s3-under-test';

const Bucket = 'test-bucket';
let s3: Awaited<ReturnType<typeof serveS3>>;
let client: S3Client;

beforeAll(async () => {
  s3 = await serveS3();
  client = s3.client;
  await client.send(new CreateBucketCommand({ Bucket }));
});
afterAll(() => s3.close());

const put = (Key: string, Body: PutObjectCommandInput['Body'], more: Partial<PutObjectCommandInput> = {}) =>
  client.send(new PutObjectCommand({ Bucket, Key, Body, ...more }));
const get = (Key: string, more: Partial<GetObjectCommandInput> = {}) =>
  client.send(new GetObjectCommand({ Bucket, Key, ...more }));
const text = async (Key: string, more: Partial<GetObjectCommandInput> = {}) =>
  (await get(Key, more)).Body?.transformToString();
const statusOf = (promise: Promise<unknown>): Promise<[string, number | undefined] | 'no error'> =>
  promise.then(
    () => 'no error' as const,
    (error: { name: string; $metadata: { httpStatusCode?: number } }) => [
      error.name,
      error.$metadata.httpStatusCode,
    ],
  );
const list = (more: object) => client.send(new ListObjectsV2Command({ Bucket, ...more }));

describe('buckets', () => {
  test('are there or not, are listed, and go only when they are empty', async () => {
    await client.send(new CreateBucketCommand({ Bucket: 'second' }));
    expect(await statusOf(client.send(new CreateBucketCommand({ Bucket: 'second' })))).toEqual([
      'BucketAlreadyOwnedByYou',
      409,
    ]);
    await client.send(new HeadBucketCommand({ Bucket: 'second' }));
    await client.send(new PutObjectCommand({ Bucket: 'second', Key: 'k', Body: 'x' }));
    expect(await statusOf(client.send(new DeleteBucketCommand({ Bucket: 'second' })))).toEqual([
      'BucketNotEmpty',
      409,
    ]);
    await client.send(new DeleteObjectCommand({ Bucket: 'second', Key: 'k' }));
    const { Buckets } = await client.send(new ListBucketsCommand({}));
    expect(Buckets?.map(({ Name }) => Name)).toEqual(['second', Bucket]);
    await client.send(new DeleteBucketCommand({ Bucket: 'second' }));
    expect(await statusOf(client.send(new HeadBucketCommand({ Bucket: 'second' })))).toEqual([
      'NotFound',
      404,
    ]);
    expect(await statusOf(client.send(new GetObjectCommand({ Bucket: 'second', Key: 'k' })))).toEqual([
      'NoSuchBucket',
      404,
    ]);
  });
});

describe('objects', () => {
  test('a string comes back, with the checksum it was sent with', async () => {
    await put('a/b c.txt', 'hello world');
    const answer = await get('a/b c.txt');
    expect(await answer.Body?.transformToString()).toBe('hello world');
    expect(answer.ChecksumCRC32).toBe('DUoRhQ==');
  });

  test('a stream comes in aws-chunked framing and is stored without it', async () => {
    const bytes = randomBytes(300_000);
    const body = Readable.from([bytes.subarray(0, 150_000), bytes.subarray(150_000)], { objectMode: false });
    await put('stream', body, { ContentLength: bytes.length });
    const answer = await get('stream');
    expect(Buffer.from((await answer.Body?.transformToByteArray()) ?? []).equals(bytes)).toBe(true);
    expect(answer.ContentEncoding).toBeUndefined();
  });

  test.each(['CRC32', 'CRC32C', 'CRC64NVME', 'SHA1', 'SHA256'] as const)(
    'a %s computed by the client is verified',
    async (algorithm) => {
      // CRC64NVME needs an optional package in the SDK: its check value is in the published definition.
      const known = { CRC64NVME: { ChecksumCRC64NVME: 'rosUhgp5mIg=' } };
      const body = algorithm === 'CRC64NVME' ? '123456789' : 'some bytes';
      const sum = algorithm === 'CRC64NVME' ? known.CRC64NVME : { ChecksumAlgorithm: algorithm };
      await put(`sum-${algorithm}`, body, sum);
      expect(await text(`sum-${algorithm}`)).toBe(body);
    },
  );

  test.each([
    { ChecksumCRC32: 'AAAAAA==' },
    { ChecksumCRC32C: 'AAAAAA==' },
    { ChecksumSHA256: Buffer.alloc(32).toString('base64') },
    { ContentMD5: Buffer.alloc(16).toString('base64') },
  ])('a wrong %j is refused and nothing is stored', async (wrong) => {
    expect(await statusOf(put('wrong', 'x', wrong))).toEqual(['BadDigest', 400]);
    expect(await statusOf(get('wrong'))).toEqual(['NoSuchKey', 404]);
  });

  test.each([
    ['bytes=6-8', 'wor', 'bytes 6-8/11'],
    ['bytes=-5', 'world', 'bytes 6-10/11'],
    ['bytes=6-', 'world', 'bytes 6-10/11'],
    ['bytes=6-99', 'world', 'bytes 6-10/11'],
  ])('range %s', async (Range, expected, ContentRange) => {
    await put('range', 'hello world');
    const answer = await get('range', { Range });
    expect(answer.$metadata.httpStatusCode).toBe(206);
    expect(answer.ContentRange).toBe(ContentRange);
    expect(await answer.Body?.transformToString()).toBe(expected);
  });

  test('a range behind the end is refused', async () => {
    await put('range', 'hello world');
    expect(await statusOf(get('range', { Range: 'bytes=11-' }))).toEqual(['InvalidRange', 416]);
  });

  test('a missing key is the modelled NoSuchKey, and NotFound for a HEAD', async () => {
    await expect(get('missing')).rejects.toThrow(NoSuchKey);
    expect(await statusOf(client.send(new HeadObjectCommand({ Bucket, Key: 'missing' })))).toEqual([
      'NotFound',
      404,
    ]);
  });

  test('HEAD tells size, type, metadata and ETag', async () => {
    await put('head', 'hello', { ContentType: 'text/x', Metadata: { a: 'b' } });
    const head = await client.send(new HeadObjectCommand({ Bucket, Key: 'head' }));
    expect(head).toMatchObject({
      ContentLength: 5,
      ContentType: 'text/x',
      Metadata: { a: 'b' },
      ETag: '"5d41402abc4b2a76b9719d911017c592"',
    });
  });

  test('an empty object', async () => {
    await put('empty', Buffer.alloc(0));
    expect(await text('empty')).toBe('');
  });

  test('delete one, delete many, delete what is not there', async () => {
    for (const key of ['d/1', 'd/2', 'd/3']) await put(key, '1');
    await client.send(new DeleteObjectCommand({ Bucket, Key: 'd/1' }));
    await client.send(new DeleteObjectCommand({ Bucket, Key: 'd/none' }));
    const Objects = [{ Key: 'd/2' }, { Key: 'd/3' }, { Key: 'd/none' }];
    const { Deleted } = await client.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects } }));
    expect(Deleted).toHaveLength(3);
    expect((await list({ Prefix: 'd/' })).KeyCount).toBe(0);
  });

  test('a copy, and tags', async () => {
    await put('tagged', 'x', { Tagging: 'run=7&of=all', Metadata: { m: '1' } });
    await client.send(new CopyObjectCommand({ Bucket, Key: 'copy of it', CopySource: `${Bucket}/tagged` }));
    expect(await text('copy of it')).toBe('x');
    const { TagSet } = await client.send(new GetObjectTaggingCommand({ Bucket, Key: 'copy of it' }));
    expect(TagSet).toEqual([
      { Key: 'run', Value: '7' },
      { Key: 'of', Value: 'all' },
    ]);
    expect((await get('copy of it')).Metadata).toEqual({ m: '1' });
  });

  test.each([
    'a//b',
    '/leading',
    'trailing/',
    '.',
    '../x',
    'a,object',
    'a,object/b',
    'ä😀',
    '%2E',
    'k'.repeat(1024),
    'a',
  ])('the key %s has a place of its own', async (key) => {
    await put(key, `at ${key}`);
    expect(await text(key)).toBe(`at ${key}`);
    expect((await list({ Prefix: key })).Contents?.map(({ Key }) => Key)).toContain(key);
  });

  test('a key above 1024 bytes is refused', async () => {
    expect(await statusOf(put('k'.repeat(1025), 'x'))).toEqual(['KeyTooLongError', 400]);
  });
});

describe('conditions', () => {
  test('If-None-Match: * puts only what is not there', async () => {
    await put('once', '1', { IfNoneMatch: '*' });
    expect(await statusOf(put('once', '2', { IfNoneMatch: '*' }))).toEqual(['PreconditionFailed', 412]);
    expect(await text('once')).toBe('1');
  });

  test('of 20 writers that all want a new key, one wins', async () => {
    const bodies = Array.from({ length: 20 }, (_, index) => `writer ${index}`);
    const answers = await Promise.allSettled(bodies.map((body) => put('race', body, { IfNoneMatch: '*' })));
    const winners = bodies.filter((_, index) => answers[index]?.status === 'fulfilled');
    expect(winners).toEqual([await text('race')]);
  });

  test('If-Match puts only over what was read', async () => {
    const { ETag } = await put('match', '1');
    await put('match', '2', { IfMatch: ETag });
    expect(await statusOf(put('match', '3', { IfMatch: ETag }))).toEqual(['PreconditionFailed', 412]);
    expect(await statusOf(put('nothing', '3', { IfMatch: ETag }))).toEqual(['NoSuchKey', 404]);
    expect(await text('match')).toBe('2');
  });

  test('a get of what the reader has is 304, of what changed is 412', async () => {
    const { ETag } = await put('cond', '1');
    expect((await statusOf(get('cond', { IfNoneMatch: ETag })))[1]).toBe(304);
    expect(await statusOf(get('cond', { IfMatch: '"other"' }))).toEqual(['PreconditionFailed', 412]);
    expect(await text('cond', { IfMatch: ETag })).toBe('1');
  });
});

describe('ListObjectsV2', () => {
  beforeAll(async () => {
    for (const key of ['p/1', 'p/2', 'p/x/3', 'p/x/4', 'p/y/5', 'q/1']) await put(key, '1');
  });

  test('prefix and delimiter', async () => {
    const answer = await list({ Prefix: 'p/', Delimiter: '/' });
    expect(answer.Contents?.map(({ Key }) => Key)).toEqual(['p/1', 'p/2']);
    expect(answer.CommonPrefixes?.map(({ Prefix }) => Prefix)).toEqual(['p/x/', 'p/y/']);
    expect(answer.IsTruncated).toBe(false);
  });

  test.each([1, 2, 3])('every entry once over pages of %i', async (MaxKeys) => {
    const seen: (string | undefined)[] = [];
    for (let ContinuationToken: string | undefined; ;) {
      const answer = await list({ Prefix: 'p/', Delimiter: '/', MaxKeys, ContinuationToken });
      seen.push(...(answer.Contents ?? []).map(({ Key }) => Key));
      seen.push(...(answer.CommonPrefixes ?? []).map(({ Prefix }) => Prefix));
      ContinuationToken = answer.NextContinuationToken;
      if (!answer.IsTruncated) break;
    }
    expect(seen).toEqual(['p/1', 'p/2', 'p/x/', 'p/y/']);
  });

  test('StartAfter', async () => {
    const answer = await list({ Prefix: 'p/', StartAfter: 'p/x/3' });
    expect(answer.Contents?.map(({ Key }) => Key)).toEqual(['p/x/4', 'p/y/5']);
  });
});

describe('multipart', () => {
  const first = randomBytes(5 * 1024 * 1024);

  test('the parts become one object', async () => {
    const { UploadId } = await client.send(new CreateMultipartUploadCommand({ Bucket, Key: 'large' }));
    const parts = [first, Buffer.from('tail')].map(async (Body, index) => {
      const PartNumber = index + 1;
      const { ETag } = await client.send(
        new UploadPartCommand({ Bucket, Key: 'large', UploadId, PartNumber, Body }),
      );
      return { PartNumber, ETag };
    });
    const MultipartUpload = { Parts: await Promise.all(parts) };
    const done = await client.send(
      new CompleteMultipartUploadCommand({ Bucket, Key: 'large', UploadId, MultipartUpload }),
    );
    expect(done.ETag).toMatch(/-2"$/);
    const body = Buffer.from((await (await get('large')).Body?.transformToByteArray()) ?? []);
    expect(body.equals(Buffer.concat([first, Buffer.from('tail')]))).toBe(true);
  });

  test('a part too small, a part that was not sent, an upload that is gone', async () => {
    const { UploadId } = await client.send(new CreateMultipartUploadCommand({ Bucket, Key: 'bad' }));
    const send = (PartNumber: number) =>
      client.send(new UploadPartCommand({ Bucket, Key: 'bad', UploadId, PartNumber, Body: 'small' }));
    const Parts = [1, 2].map((PartNumber) => ({ PartNumber, ETag: '"x"' }));
    for (const part of Parts) part.ETag = (await send(part.PartNumber)).ETag ?? '';
    const complete = (parts: typeof Parts) =>
      client.send(
        new CompleteMultipartUploadCommand({
          Bucket,
          Key: 'bad',
          UploadId,
          MultipartUpload: { Parts: parts },
        }),
      );
    expect(await statusOf(complete(Parts))).toEqual(['EntityTooSmall', 400]);
    expect(await statusOf(complete([...Parts].reverse()))).toEqual(['InvalidPartOrder', 400]);
    expect(await statusOf(complete([{ PartNumber: 3, ETag: '"x"' }]))).toEqual(['InvalidPart', 400]);
    await client.send(new AbortMultipartUploadCommand({ Bucket, Key: 'bad', UploadId }));
    expect(await statusOf(send(1))).toEqual(['NoSuchUpload', 404]);
  });
});

test('another process on the same folder finds every object', async () => {
  await put('kept/äö/file.json', '{"kept":true}', { ContentType: 'application/json' });
  const again = await serveS3(s3.folder);
  try {
    const answer = await again.client.send(new GetObjectCommand({ Bucket, Key: 'kept/äö/file.json' }));
    expect(await answer.Body?.transformToString()).toBe('{"kept":true}');
    expect(answer.ContentType).toBe('application/json');
    const before = (await list({})).Contents?.map(({ Key, Size, ETag }) => ({ Key, Size, ETag }));
    const after = (await again.client.send(new ListObjectsV2Command({ Bucket }))).Contents;
    expect(after?.map(({ Key, Size, ETag }) => ({ Key, Size, ETag }))).toEqual(before);
  } finally {
    await again.close();
  }
});
