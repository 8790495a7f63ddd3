import { createHash, randomUUID } from 'node:crypto';
import { mkdirSync, rmSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type {
  AbortMultipartUploadCommandInput,
  CompleteMultipartUploadCommandInput,
  CreateMultipartUploadCommandInput,
  ListPartsCommandInput,
  UploadPartCommandInput,
} from '@aws-sdk/client-s3';
import { AwsError } from '../wire';
import { sameTag } from './bucket';
import type { Buckets } from './buckets';
import { verifiedChecksums, type Checksums } from './checksums';
import { checkKey, etagOf } from './object-operations';
import { keptFacts } from './stored-object';

interface Part {
  readonly ETag: string;
  readonly size: number;
  readonly checksums: Checksums;
}

interface Upload {
  readonly input: CreateMultipartUploadCommandInput;
  readonly folder: string;
  readonly parts: Map<number, Part>;
}

const SMALLEST_PART_BYTES = 5 * 1024 * 1024;
const MOST_PARTS = 10_000;

/** Parts lie in files until the upload is completed; uploads do not outlive the process. */
export function multipartOperations(buckets: Buckets, uploadsFolder: string) {
  rmSync(uploadsFolder, { recursive: true, force: true });
  const uploads = new Map<string, Upload>();
  const uploadOf = (id = ''): Upload => {
    const upload = uploads.get(id);
    if (upload) return upload;
    throw new AwsError(
      'NoSuchUpload',
      'The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.',
      404,
    );
  };
  const drop = (id: string): void => {
    rmSync(uploadOf(id).folder, { recursive: true, force: true });
    uploads.delete(id);
  };
  const partFile = ({ folder }: Upload, number: number): string => path.join(folder, String(number));

  return {
    CreateMultipartUpload(input: CreateMultipartUploadCommandInput) {
      buckets.get(input.Bucket ?? '');
      checkKey(input.Key ?? '');
      const UploadId = randomUUID();
      const folder = path.join(uploadsFolder, UploadId);
      mkdirSync(folder, { recursive: true });
      uploads.set(UploadId, { input, folder, parts: new Map() });
      const { Bucket, Key, ChecksumAlgorithm } = input;
      return { Bucket, Key, UploadId, ChecksumAlgorithm };
    },

    async UploadPart(input: UploadPartCommandInput) {
      const upload = uploadOf(input.UploadId);
      const number = input.PartNumber ?? 0;
      if (number < 1 || number > MOST_PARTS)
        throw new AwsError(
          'InvalidArgument',
          `Part number must be an integer between 1 and ${MOST_PARTS}, inclusive`,
        );
      const body = (input.Body ?? Buffer.alloc(0)) as unknown as Buffer;
      const checksums = verifiedChecksums(input, body);
      await writeFile(partFile(upload, number), body);
      const ETag = etagOf(body);
      upload.parts.set(number, { ETag, size: body.length, checksums });
      return { ETag, ...checksums };
    },

    ListParts({ Bucket, Key, UploadId }: ListPartsCommandInput) {
      const parts = [...uploadOf(UploadId).parts].sort(([a], [b]) => a - b);
      return {
        Bucket,
        Key,
        UploadId,
        IsTruncated: false,
        Parts: parts.map(([PartNumber, { ETag, size }]) => ({ PartNumber, ETag, Size: size })),
      };
    },

    ListMultipartUploads: ({ Bucket }: { Bucket?: string }) => ({
      Bucket,
      IsTruncated: false,
      Uploads: [...uploads]
        .filter(([, { input }]) => input.Bucket === Bucket)
        .map(([UploadId, { input }]) => ({ UploadId, Key: input.Key })),
    }),

    async CompleteMultipartUpload(input: CompleteMultipartUploadCommandInput) {
      const { Bucket = '', Key = '', UploadId = '', MultipartUpload, IfNoneMatch, IfMatch } = input;
      const upload = uploadOf(UploadId);
      const chosen = (MultipartUpload?.Parts ?? []).map((asked) => ({
        number: asked.PartNumber ?? 0,
        asked: asked.ETag ?? '',
        part: upload.parts.get(asked.PartNumber ?? 0),
      }));
      checkParts(chosen);
      const bodies = await Promise.all(chosen.map(({ number }) => readFile(partFile(upload, number))));
      const digests = bodies.map((body) => createHash('md5').update(body).digest());
      const digest = createHash('md5').update(Buffer.concat(digests)).digest('hex');
      const facts = { ...keptFacts(upload.input), ETag: `"${digest}-${bodies.length}"` };
      await buckets.get(Bucket).put(Key, bodies, facts, { IfNoneMatch, IfMatch });
      drop(UploadId);
      return { Bucket, Key, ETag: facts.ETag, Location: `/${Bucket}/${Key}` };
    },

    AbortMultipartUpload({ UploadId = '' }: AbortMultipartUploadCommandInput) {
      drop(UploadId);
      return { $status: 204 };
    },
  };
}

function checkParts(chosen: readonly { number: number; asked: string; part: Part | undefined }[]): void {
  if (chosen.length === 0) throw new AwsError('MalformedXML', 'You must specify at least one part');
  if (chosen.some(({ number }, index) => index > 0 && number <= (chosen[index - 1]?.number ?? 0)))
    throw new AwsError('InvalidPartOrder', 'The list of parts was not in ascending order.');
  if (chosen.some(({ part, asked }) => !part || !sameTag(part.ETag, asked)))
    throw new AwsError('InvalidPart', 'One or more of the specified parts could not be found.');
  if (chosen.slice(0, -1).some(({ part }) => (part?.size ?? 0) < SMALLEST_PART_BYTES))
    throw new AwsError('EntityTooSmall', 'Your proposed upload is smaller than the minimum allowed size');
}
