import {
  GetObjectCommand,
  type GetObjectCommandOutput,
  PutObjectCommand,
  type S3Client,
  paginateListObjectsV2,
} from '@aws-sdk/client-s3';
import { ImageElvesError } from '../../core/errors';
import { hasCode, httpStatus, isConditionFailed } from '../service-errors';

/** A step needs a document that another step should have written. */
export class DocumentMissingError extends ImageElvesError {
  override readonly name = 'DocumentMissingError';

  constructor(bucket: string, key: string) {
    super(`s3://${bucket}/${key} does not exist.`, { bucket, key }, 'Start the run again.');
  }
}

/** A document with the tag of the version read, for a conditional put. */
export interface Versioned<T> {
  readonly value: T;
  readonly etag: string;
}

/** The run's documents in the bucket: JSON, one object each (core/workflow/keys.ts, documents.ts). */
export class DocumentStore {
  constructor(
    private readonly client: S3Client,
    readonly bucket: string,
  ) {}

  /** @throws DocumentMissingError */
  async read<T>(key: string): Promise<T> {
    const found = await this.find<T>(key);
    if (found === undefined) throw new DocumentMissingError(this.bucket, key);
    return found;
  }

  async find<T>(key: string): Promise<T | undefined> {
    return (await this.findVersioned<T>(key))?.value;
  }

  async findVersioned<T>(key: string): Promise<Versioned<T> | undefined> {
    const object = await this.get(key);
    if (object === undefined) return undefined;
    return { value: JSON.parse(await object.Body!.transformToString()) as T, etag: object.ETag! };
  }

  async findBytes(key: string): Promise<Uint8Array | undefined> {
    return (await this.get(key))?.Body?.transformToByteArray();
  }

  async write(key: string, value: unknown): Promise<void> {
    await this.writeText(key, JSON.stringify(value), 'application/json');
  }

  async writeText(key: string, text: string | Uint8Array, contentType: string): Promise<void> {
    await this.client.send(
      new PutObjectCommand({ Bucket: this.bucket, Key: key, Body: text, ContentType: contentType }),
    );
  }

  /** False when the object exists (`absent`) or is no longer that version; then nothing was written. */
  async writeIf(key: string, value: unknown, condition: 'absent' | { etag: string }): Promise<boolean> {
    try {
      await this.client.send(
        new PutObjectCommand({
          Bucket: this.bucket,
          Key: key,
          Body: JSON.stringify(value),
          ContentType: 'application/json',
          ...(condition === 'absent' ? { IfNoneMatch: '*' } : { IfMatch: condition.etag }),
        }),
      );
      return true;
    } catch (error) {
      if (isConditionFailed(error)) return false;
      throw error;
    }
  }

  /** One JSON value a line: what a Distributed Map reads. */
  async writeLines(key: string, items: readonly unknown[]): Promise<void> {
    const text = items.map((item) => `${JSON.stringify(item)}\n`).join('');
    await this.writeText(key, text, 'application/jsonlines');
  }

  /** @throws DocumentMissingError */
  async readLines<T>(key: string): Promise<T[]> {
    const object = await this.get(key);
    if (object === undefined) throw new DocumentMissingError(this.bucket, key);
    const lines = (await object.Body!.transformToString()).split('\n');
    return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as T);
  }

  async list(prefix: string): Promise<string[]> {
    const keys: string[] = [];
    const pages = paginateListObjectsV2({ client: this.client }, { Bucket: this.bucket, Prefix: prefix });
    for await (const page of pages) {
      for (const { Key } of page.Contents ?? []) if (Key !== undefined) keys.push(Key);
    }
    return keys;
  }

  private async get(key: string): Promise<GetObjectCommandOutput | undefined> {
    try {
      return await this.client.send(new GetObjectCommand({ Bucket: this.bucket, Key: key }));
    } catch (error) {
      if (hasCode(error, 'NoSuchKey') || httpStatus(error) === 404) return undefined;
      throw error;
    }
  }
}
