import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';

/** The longest that Signature Version 4 allows: seven days. */
const LONGEST_SECONDS = 7 * 24 * 3600;

/**
 * A URL that takes one object by PUT, with the rights of this function and no others. It ends with the credentials that
 * sign it at the latest, which for a function's role is hours ("Download and upload objects with presigned URLs").
 */
export function presignedPut(
  { config }: S3Client,
  { bucket, key, seconds }: { readonly bucket: string; readonly key: string; readonly seconds: number },
): Promise<string> {
  const { region, credentials, endpoint, forcePathStyle, useFipsEndpoint, useDualstackEndpoint } = config;
  const client = new S3Client({
    ...{ region, credentials, forcePathStyle, useFipsEndpoint, useDualstackEndpoint },
    ...(endpoint === undefined ? {} : { endpoint }),
    // By default it would sign the checksum of the empty body that it has here.
    requestChecksumCalculation: 'WHEN_REQUIRED',
  });
  const command = new PutObjectCommand({ Bucket: bucket, Key: key });
  return getSignedUrl(client, command, { expiresIn: Math.min(Math.ceil(seconds), LONGEST_SECONDS) });
}
