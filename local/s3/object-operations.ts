import { createHash } from 'node:crypto';
import type {
  CopyObjectCommandInput,
  DeleteObjectCommandInput,
  DeleteObjectsCommandInput,
  GetObjectCommandInput,
  HeadObjectCommandInput,
  PutObjectCommandInput,
} from '@aws-sdk/client-s3';
import { AwsError } from '../wire';
import { preconditionFailed, sameTag } from './bucket';
import type { Buckets } from './buckets';
import { byteRange } from './byte-range';
import { checksumsOf, verifiedChecksums, type Checksums } from './checksums';
import { keptFacts, type StoredObject } from './stored-object';

/** HEAD answers have no body: S3 tells nothing but the status. */
export const notFound = (): AwsError => new AwsError('NotFound', 'Not Found', 404);

export const etagOf = (body: Uint8Array): string => `"${createHash('md5').update(body).digest('hex')}"`;

const LONGEST_KEY_BYTES = 1024;

/** @throws AwsError KeyTooLongError */
export function checkKey(key: string): void {
  if (Buffer.byteLength(key) > LONGEST_KEY_BYTES)
    throw new AwsError('KeyTooLongError', 'Your key is too long');
}

export const objectOperations = (buckets: Buckets) => ({
  async PutObject(input: PutObjectCommandInput) {
    const { Bucket = '', Key = '', IfNoneMatch, IfMatch } = input;
    const bucket = buckets.get(Bucket);
    checkKey(Key);
    const body = (input.Body ?? Buffer.alloc(0)) as Buffer;
    const checksums = verifiedChecksums(input, body);
    const facts = { ...keptFacts(input), ...checksums, ETag: etagOf(body) };
    await bucket.put(Key, [body], facts, { IfNoneMatch, IfMatch });
    return { ETag: facts.ETag, ...checksums, ...encryptionOf(facts) };
  },

  async CopyObject(input: CopyObjectCommandInput) {
    const { Bucket = '', Key = '', CopySource = '', MetadataDirective = 'COPY' } = input;
    const [fromBucket = '', ...fromKey] = decodeURIComponent(CopySource).replace(/^\//, '').split('/');
    const source = buckets.get(fromBucket).get(fromKey.join('/'));
    const target = buckets.get(Bucket);
    checkKey(Key);
    if (input.CopySourceIfMatch !== undefined && !sameTag(input.CopySourceIfMatch, source.facts.ETag))
      throw preconditionFailed();
    const body = await buckets.get(fromBucket).read(source);
    const kept = MetadataDirective === 'REPLACE' ? keptFacts(input) : keptFacts(source.facts);
    const checksums = checksumsOf(source.facts);
    const facts = { ...kept, ...checksums, ETag: etagOf(body) };
    const { IfNoneMatch, IfMatch } = input;
    const { lastModified } = await target.put(Key, [body], facts, { IfNoneMatch, IfMatch });
    return { CopyObjectResult: { ETag: facts.ETag, LastModified: new Date(lastModified), ...checksums } };
  },

  async GetObject(input: GetObjectCommandInput) {
    const bucket = buckets.get(input.Bucket ?? '');
    const object = bucket.get(input.Key ?? '');
    checkReadCondition(input, object);
    const range = byteRange(input.Range, object.size);
    if (!range) return { ...headersOf(object, input.ChecksumMode), Body: await bucket.read(object) };
    const { first, last } = range;
    return {
      $status: 206,
      // A checksum is of the whole object: it says nothing about a part.
      ...headersOf(object, undefined),
      ContentLength: last - first + 1,
      ContentRange: `bytes ${first}-${last}/${object.size}`,
      Body: await bucket.read(object, first, last),
    };
  },

  HeadObject(input: HeadObjectCommandInput) {
    const object = buckets.has(input.Bucket ?? '')
      ? buckets.get(input.Bucket ?? '').find(input.Key ?? '')
      : undefined;
    if (!object) throw notFound();
    checkReadCondition(input, object);
    return headersOf(object, input.ChecksumMode);
  },

  DeleteObject({ Bucket = '', Key = '' }: DeleteObjectCommandInput) {
    buckets.get(Bucket).delete(Key);
    return { $status: 204 };
  },

  DeleteObjects({ Bucket = '', Delete }: DeleteObjectsCommandInput) {
    const bucket = buckets.get(Bucket);
    const keys = (Delete?.Objects ?? []).map(({ Key = '' }) => Key);
    for (const key of keys) bucket.delete(key);
    return Delete?.Quiet ? {} : { Deleted: keys.map((Key) => ({ Key })) };
  },
});

function checkReadCondition(
  input: Pick<GetObjectCommandInput, 'IfMatch' | 'IfNoneMatch' | 'IfModifiedSince' | 'IfUnmodifiedSince'>,
  { facts, lastModified }: StoredObject,
): void {
  const seconds = Math.floor(lastModified / 1000) * 1000;
  if (input.IfMatch !== undefined && !sameTag(input.IfMatch, facts.ETag)) throw preconditionFailed();
  if (input.IfUnmodifiedSince !== undefined && seconds > input.IfUnmodifiedSince.getTime())
    throw preconditionFailed();
  const unchanged =
    input.IfNoneMatch === undefined
      ? input.IfModifiedSince !== undefined && seconds <= input.IfModifiedSince.getTime()
      : sameTag(input.IfNoneMatch, facts.ETag);
  if (unchanged) throw new AwsError('NotModified', 'Not Modified', 304);
}

const encryptionOf = ({ ServerSideEncryption = 'AES256', SSEKMSKeyId }: StoredObject['facts']) => ({
  ServerSideEncryption,
  SSEKMSKeyId,
});

function headersOf({ facts, size, lastModified }: StoredObject, checksumMode: string | undefined) {
  const { Tagging, ...kept } = keptFacts(facts);
  const checksums: Checksums = checksumMode === 'ENABLED' ? checksumsOf(facts) : {};
  return {
    ContentType: 'binary/octet-stream',
    ...kept,
    ...encryptionOf(facts),
    ...checksums,
    ETag: facts.ETag,
    ContentLength: size,
    LastModified: new Date(lastModified),
    AcceptRanges: 'bytes',
    ...(Tagging && { TagCount: new URLSearchParams(Tagging).size }),
  };
}
