import type { GetObjectTaggingCommandInput, PutObjectTaggingCommandInput } from '@aws-sdk/client-s3';
import type { Buckets } from './buckets';

/** Tags of objects, kept as the query string that the x-amz-tagging header has. */
export const taggingOperations = (buckets: Buckets) => ({
  async PutObjectTagging({ Bucket = '', Key = '', Tagging }: PutObjectTaggingCommandInput) {
    const pairs = (Tagging?.TagSet ?? []).map(({ Key: name = '', Value = '' }): [string, string] => [
      name,
      Value,
    ]);
    await retag(buckets, Bucket, Key, new URLSearchParams(pairs).toString());
    return {};
  },

  GetObjectTagging({ Bucket = '', Key = '' }: GetObjectTaggingCommandInput) {
    const { facts } = buckets.get(Bucket).get(Key);
    const pairs = [...new URLSearchParams(facts.Tagging ?? '')];
    return { TagSet: pairs.map(([name, Value]) => ({ Key: name, Value })) };
  },

  async DeleteObjectTagging({ Bucket = '', Key = '' }: GetObjectTaggingCommandInput) {
    await retag(buckets, Bucket, Key, undefined);
    return { $status: 204 };
  },
});

async function retag(
  buckets: Buckets,
  name: string,
  key: string,
  tagging: string | undefined,
): Promise<void> {
  const bucket = buckets.get(name);
  const object = bucket.get(key);
  await bucket.put(key, [await bucket.read(object)], { ...object.facts, Tagging: tagging });
}
