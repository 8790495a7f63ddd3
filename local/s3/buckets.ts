import { mkdirSync, readdirSync } from 'node:fs';
import path from 'node:path';
import type { Clock } from '../clock';
import { AwsError } from '../wire';
import { Bucket } from './bucket';

const BUCKET_NAME = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;

/** All buckets of a state folder. */
export class Buckets {
  private constructor(
    private readonly folder: string,
    readonly clock: Clock,
    private readonly buckets: Map<string, Bucket>,
  ) {}

  static async open(folder: string, clock: Clock): Promise<Buckets> {
    mkdirSync(folder, { recursive: true });
    const buckets = new Map<string, Bucket>();
    for (const name of readdirSync(folder))
      buckets.set(name, await Bucket.open(name, path.join(folder, name), clock));
    return new Buckets(folder, clock, buckets);
  }

  list(): Bucket[] {
    return [...this.buckets.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  has(name: string): boolean {
    return this.buckets.has(name);
  }

  /** @throws AwsError NoSuchBucket */
  get(name: string): Bucket {
    const bucket = this.buckets.get(name);
    if (!bucket) throw new AwsError('NoSuchBucket', 'The specified bucket does not exist', 404);
    return bucket;
  }

  /** @throws AwsError InvalidBucketName, BucketAlreadyOwnedByYou */
  async create(name: string): Promise<Bucket> {
    if (!BUCKET_NAME.test(name))
      throw new AwsError('InvalidBucketName', 'The specified bucket is not valid.');
    if (this.buckets.has(name))
      throw new AwsError(
        'BucketAlreadyOwnedByYou',
        'Your previous request to create the named bucket succeeded and you already own it.',
        409,
      );
    const bucket = await Bucket.open(name, path.join(this.folder, name), this.clock);
    this.buckets.set(name, bucket);
    return bucket;
  }

  /** @throws AwsError NoSuchBucket, BucketNotEmpty */
  delete(name: string): void {
    const bucket = this.get(name);
    if (!bucket.empty)
      throw new AwsError('BucketNotEmpty', 'The bucket you tried to delete is not empty', 409);
    bucket.remove();
    this.buckets.delete(name);
  }
}
