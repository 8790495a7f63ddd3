import type { ListObjectsV2CommandInput } from '@aws-sdk/client-s3';
import { AwsError } from '../wire';
import type { Bucket } from './bucket';
import type { Buckets } from './buckets';

const MOST_KEYS = 1000;

export const listOperations = (buckets: Buckets) => ({
  ListObjectsV2(input: ListObjectsV2CommandInput) {
    const bucket = buckets.get(input.Bucket ?? '');
    const { Prefix = '', Delimiter, StartAfter, ContinuationToken, EncodingType } = input;
    const most = Math.min(input.MaxKeys ?? MOST_KEYS, MOST_KEYS);
    const after = ContinuationToken === undefined ? StartAfter : lastOfToken(ContinuationToken);
    const { keys, prefixes, last } = page(bucket.keysWithPrefix(Prefix), { Prefix, Delimiter, after, most });
    const encode = (text: string): string =>
      EncodingType === 'url' ? encodeURIComponent(text).replaceAll('%2F', '/') : text;
    return {
      Name: bucket.name,
      Prefix: encode(Prefix),
      Delimiter,
      StartAfter,
      ContinuationToken,
      EncodingType,
      MaxKeys: most,
      KeyCount: keys.length + prefixes.length,
      IsTruncated: last !== undefined,
      NextContinuationToken: last === undefined ? undefined : Buffer.from(last).toString('base64url'),
      Contents: keys.map((key) => listed(bucket, key, encode)),
      CommonPrefixes: prefixes.map((prefix) => ({ Prefix: encode(prefix) })),
    };
  },
});

interface PageRequest {
  Prefix: string;
  Delimiter: string | undefined;
  after: string | undefined;
  most: number;
}

/** Keys and common prefixes together in order, up to `most`; `last` is where the next page goes on, if there is one. */
function page(sorted: readonly string[], { Prefix, Delimiter, after, most }: PageRequest) {
  const keys: string[] = [];
  const prefixes: string[] = [];
  let last: string | undefined;
  for (const key of sorted) {
    const cut = Delimiter ? key.indexOf(Delimiter, Prefix.length) : -1;
    const entry = cut < 0 ? key : key.slice(0, cut + (Delimiter ?? '').length);
    if (after !== undefined && Buffer.compare(Buffer.from(entry), Buffer.from(after)) <= 0) continue;
    if (cut >= 0 && prefixes.at(-1) === entry) continue;
    if (keys.length + prefixes.length >= most) return { keys, prefixes, last };
    if (cut < 0) keys.push(entry);
    else prefixes.push(entry);
    last = entry;
  }
  return { keys, prefixes, last: undefined };
}

function listed(bucket: Bucket, key: string, encode: (text: string) => string) {
  const { facts, size, lastModified } = bucket.get(key);
  const { ETag, StorageClass = 'STANDARD' } = facts;
  return { Key: encode(key), Size: size, ETag, LastModified: new Date(lastModified), StorageClass };
}

function lastOfToken(token: string): string {
  const last = Buffer.from(token, 'base64url').toString();
  if (last === '') throw new AwsError('InvalidArgument', 'The continuation token provided is incorrect');
  return last;
}
