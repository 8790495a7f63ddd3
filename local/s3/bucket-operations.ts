import type { CreateBucketCommandInput, HeadBucketCommandInput } from '@aws-sdk/client-s3';
import type { Buckets } from './buckets';
import { notFound } from './object-operations';

export const bucketOperations = (buckets: Buckets, region: string) => ({
  async CreateBucket({ Bucket = '' }: CreateBucketCommandInput) {
    await buckets.create(Bucket);
    return { Location: `/${Bucket}` };
  },

  HeadBucket({ Bucket = '' }: HeadBucketCommandInput) {
    if (!buckets.has(Bucket)) throw notFound();
    return { BucketRegion: region };
  },

  GetBucketLocation({ Bucket = '' }: HeadBucketCommandInput) {
    buckets.get(Bucket);
    return { LocationConstraint: region };
  },

  ListBuckets: () => ({
    Buckets: buckets.list().map(({ name, createdAt }) => ({ Name: name, CreationDate: createdAt })),
    Owner: { ID: 'imageelves-local' },
  }),

  DeleteBucket({ Bucket = '' }: HeadBucketCommandInput) {
    buckets.delete(Bucket);
    return { $status: 204 };
  },
});
