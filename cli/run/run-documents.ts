import { GetObjectCommand, paginateListObjectsV2, type S3Client } from '@aws-sdk/client-s3';

/** Reads what a run has written into its bucket so far. */
export class RunDocuments {
  constructor(
    private readonly s3: S3Client,
    private readonly bucket: string,
  ) {}

  /** Keys under the prefix, all pages. */
  async keys(prefix: string): Promise<string[]> {
    const keys: string[] = [];
    for await (const page of paginateListObjectsV2(
      { client: this.s3 },
      { Bucket: this.bucket, Prefix: prefix },
    )) {
      for (const { Key } of page.Contents ?? []) if (Key !== undefined) keys.push(Key);
    }
    return keys;
  }

  async text(key: string): Promise<string> {
    const { Body } = await this.s3.send(new GetObjectCommand({ Bucket: this.bucket, Key: key }));
    return (await Body?.transformToString()) ?? '';
  }

  async json<T>(key: string): Promise<T> {
    return JSON.parse(await this.text(key)) as T;
  }
}
