import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { AwsError } from '../wire';
import { crc32c, crc64nvme } from './crc-tables';

/** The checksum members of S3's inputs and outputs, all base64. */
export interface Checksums {
  ChecksumCRC32?: string;
  ChecksumCRC32C?: string;
  ChecksumCRC64NVME?: string;
  ChecksumSHA1?: string;
  ChecksumSHA256?: string;
}

const bigEndian = (...words: number[]): string => {
  const bytes = Buffer.alloc(4 * words.length);
  words.forEach((word, index) => bytes.writeUInt32BE(word, 4 * index));
  return bytes.toString('base64');
};

const ALGORITHMS: Readonly<Record<keyof Checksums, (bytes: Uint8Array) => string>> = {
  ChecksumCRC32: (bytes) => bigEndian(crc32(bytes)),
  ChecksumCRC32C: (bytes) => bigEndian(crc32c(bytes)),
  ChecksumCRC64NVME: (bytes) => {
    const { high, low } = crc64nvme(bytes);
    return bigEndian(high, low);
  },
  ChecksumSHA1: (bytes) => createHash('sha1').update(bytes).digest('base64'),
  ChecksumSHA256: (bytes) => createHash('sha256').update(bytes).digest('base64'),
};

/**
 * Verifies whatever checksum came with a body and gives what is to be stored with the object.
 * @throws AwsError BadDigest, or InvalidRequest when more than one checksum came.
 */
export function verifiedChecksums(input: Checksums & { ContentMD5?: string }, body: Uint8Array): Checksums {
  const md5 = input.ContentMD5;
  if (md5 !== undefined && md5 !== createHash('md5').update(body).digest('base64'))
    throw new AwsError('BadDigest', 'The Content-MD5 you specified did not match what we received.');
  const given = names.filter((name) => input[name] !== undefined);
  if (given.length > 1) throw new AwsError('InvalidRequest', 'Expecting a single x-amz-checksum- header');
  const [name] = given;
  if (name === undefined) return {};
  const computed = ALGORITHMS[name](body);
  if (computed !== input[name]) {
    const algorithm = name.replace('Checksum', '');
    throw new AwsError('BadDigest', `The ${algorithm} you specified did not match the calculated checksum.`);
  }
  return { [name]: computed };
}

const names = Object.keys(ALGORITHMS) as (keyof Checksums)[];

/** The checksum members of a larger object. */
export const checksumsOf = (input: Checksums): Checksums =>
  Object.fromEntries(names.filter((name) => input[name] !== undefined).map((name) => [name, input[name]]));
