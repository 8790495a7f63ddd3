import path from 'node:path';
import * as sdk from '@aws-sdk/client-s3';
import type { Clock } from '../clock';
import { createService, type AroundCall, type WireService } from '../wire';
import { bucketOperations } from './bucket-operations';
import { Buckets } from './buckets';
import { listOperations } from './list-operations';
import { multipartOperations } from './multipart-operations';
import { etagOf, objectOperations } from './object-operations';
import { taggingOperations } from './tagging-operations';

export interface S3Options {
  /** Buckets and unfinished uploads are kept below it. */
  readonly folder: string;
  readonly region: string;
  readonly clock: Clock;
  /** Runs around every call: log, throttle, break. */
  readonly around?: AroundCall;
}

/** S3 over files, and the same buckets for those in this process who need no wire. */
export interface S3 {
  readonly service: WireService;
  readonly buckets: Buckets;
  /** Makes the bucket when it is not there. */
  ensureBucket(name: string): Promise<void>;
  get(bucket: string, key: string): Promise<Buffer>;
  put(bucket: string, key: string, body: Buffer): Promise<void>;
}

export async function createS3({ folder, region, clock, around }: S3Options): Promise<S3> {
  const buckets = await Buckets.open(path.join(folder, 'buckets'), clock);
  const service = createService(
    sdk,
    {
      ...bucketOperations(buckets, region),
      ...objectOperations(buckets),
      ...listOperations(buckets),
      ...taggingOperations(buckets),
      ...multipartOperations(buckets, path.join(folder, 'uploads')),
    },
    { around },
  );
  return {
    service,
    buckets,
    async ensureBucket(name) {
      if (!buckets.has(name)) await buckets.create(name);
    },
    async get(bucket, key) {
      return buckets.get(bucket).read(buckets.get(bucket).get(key));
    },
    async put(bucket, key, body) {
      await buckets.get(bucket).put(key, [body], { ETag: etagOf(body) });
    },
  };
}
