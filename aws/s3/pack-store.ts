import { GetObjectCommand, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import type { Digest, PackWriter } from '../../core/chunk-store/chunk-store';
import { PackInvalidError, PackMissingError } from '../../core/chunk-store/chunk-store-errors';
import { digestAside } from '../../core/chunk-store/digest';
import { packKey } from '../../core/workflow/keys';
import { hasCode, httpStatus, isConditionFailed } from '../service-errors';

/** Packs as objects named for their digest: written once, never over, and checked whenever they are read. */
export class S3PackStore implements PackWriter {
  constructor(
    private readonly client: S3Client,
    private readonly bucket: string,
  ) {}

  async getPack(digest: Digest): Promise<Uint8Array> {
    const bytes = await this.fetch(digest);
    const found = await digestAside(bytes);
    if (found !== digest) throw new PackInvalidError(digest, `its digest is ${found}`);
    return bytes;
  }

  async putPack(digest: Digest, bytes: Uint8Array): Promise<void> {
    try {
      await this.client.send(
        new PutObjectCommand({
          Bucket: this.bucket,
          Key: packKey(digest),
          Body: bytes,
          ContentType: 'application/octet-stream',
          IfNoneMatch: '*',
        }),
      );
    } catch (error) {
      // It is there already: its name is the digest of its content.
      if (!isConditionFailed(error)) throw error;
    }
  }

  private async fetch(digest: Digest): Promise<Uint8Array> {
    try {
      const object = await this.client.send(
        new GetObjectCommand({ Bucket: this.bucket, Key: packKey(digest) }),
      );
      return await object.Body!.transformToByteArray();
    } catch (error) {
      if (hasCode(error, 'NoSuchKey') || httpStatus(error) === 404) {
        throw new PackMissingError(digest);
      }
      throw error;
    }
  }
}
