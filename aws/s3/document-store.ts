import {
  GetObjectCommand,
  PutObjectCommand,
  type PutObjectCommandInput,
  type S3Client,
  paginateListObjectsV2,
} from '@aws-sdk/client-s3';
import pLimit from 'p-limit';
import { ImageElvesError } from '../../core/errors';
import { hasCode, httpStatus, isConditionFailed } from '../service-errors';

/** A step needs a document that another step should have written. */
export class DocumentMissingError extends ImageElvesError {
  override readonly name = 'DocumentMissingError';

  constructor(bucket: string, key: string) {
    super(`s3://${bucket}/${key} does not exist.`, { bucket, key }, 'Start the run again.');
  }
}

/** An object is larger than anything that a step or a machine should have put there. */
export class ObjectTooLargeError extends ImageElvesError {
  override readonly name = 'ObjectTooLargeError';

  constructor(bucket: string, key: string, bytes: number, limit: number) {
    super(`s3://${bucket}/${key} has ${bytes} bytes, more than the ${limit} that are read.`, {
      bucket,
      key,
      bytes,
      limit,
    });
  }
}

/** A document with the tag of the version read, for a conditional put. */
export interface Versioned<T> {
  readonly value: T;
  readonly etag: string;
}

/** Requests under way at once: fewer than sockets, for one that waits for a socket runs into the connection time-out. */
const CONCURRENT_REQUESTS = 40;

/** The run's documents in the bucket: JSON, one object each (core/workflow/keys.ts, documents.ts). */
export class DocumentStore {
  private readonly limit = pLimit(CONCURRENT_REQUESTS);

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
    return { value: JSON.parse(Buffer.from(object.bytes).toString()) as T, etag: object.etag };
  }

  /** @throws ObjectTooLargeError */
  async findBytes(key: string, limitBytes = Infinity): Promise<Uint8Array | undefined> {
    return (await this.get(key, limitBytes))?.bytes;
  }

  async write(key: string, value: unknown): Promise<void> {
    await this.writeText(key, JSON.stringify(value), 'application/json');
  }

  async writeText(key: string, text: string | Uint8Array, contentType: string): Promise<void> {
    // Of an empty body the SDK sends no length by itself.
    const ContentLength = Buffer.byteLength(text);
    await this.put({ Bucket: this.bucket, Key: key, Body: text, ContentType: contentType, ContentLength });
  }

  /** False when the object exists (`absent`) or is no longer that version; then nothing was written. */
  async writeIf(key: string, value: unknown, condition: 'absent' | { etag: string }): Promise<boolean> {
    try {
      await this.put({
        Bucket: this.bucket,
        Key: key,
        Body: JSON.stringify(value),
        ContentType: 'application/json',
        ...(condition === 'absent' ? { IfNoneMatch: '*' } : { IfMatch: condition.etag }),
      });
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
    const lines = Buffer.from(object.bytes).toString().split('\n');
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

  private put(input: PutObjectCommandInput): Promise<unknown> {
    return this.limit(() => this.client.send(new PutObjectCommand(input)));
  }

  private get(key: string, limitBytes = Infinity): Promise<{ bytes: Uint8Array; etag: string } | undefined> {
    return this.limit(async () => {
      try {
        const object = await this.client.send(new GetObjectCommand({ Bucket: this.bucket, Key: key }));
        const { ContentLength: bytes = 0 } = object;
        if (bytes > limitBytes) {
          (object.Body as { destroy?: () => void }).destroy?.();
          throw new ObjectTooLargeError(this.bucket, key, bytes, limitBytes);
        }
        return { bytes: await object.Body!.transformToByteArray(), etag: object.ETag! };
      } catch (error) {
        if (hasCode(error, 'NoSuchKey') || httpStatus(error) === 404) return undefined;
        throw error;
      }
    });
  }
}
