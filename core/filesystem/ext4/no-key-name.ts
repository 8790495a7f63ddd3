import { createHash } from 'node:crypto';
import { writeU32, readU16 } from '../../bytes/little-endian';
import { CorruptFilesystemError } from '../errors';
import type { DirectoryHash } from './directory-hash';

/** Bytes of the ciphertext that stand in a no-key name as they are. */
const WHOLE_BYTES = 149;
const HASH_BYTES = 8;
const SHA256_BYTES = 32;
/** AES never makes a shorter name. */
const LEAST_BYTES = 16;
/** The length before the ciphertext of a symbolic link. */
const LINK_HEADER_BYTES = 2;

const NO_HASH: DirectoryHash = { major: 0, minor: 0 };

/**
 * The name that Linux shows for an encrypted one while the key is not there (kernel Documentation/filesystems/
 * fscrypt.rst, "Without the key"; fs/crypto/fname.c): base64url of the directory hash and the ciphertext, of which what
 * is longer than 149 bytes is given by its SHA-256. Ciphertext itself is no name: it may hold slashes and zeros.
 * @throws CorruptFilesystemError when the ciphertext is too short to be one
 */
export function noKeyName(ciphertext: Uint8Array, hash: DirectoryHash = NO_HASH): string {
  if (ciphertext.length < LEAST_BYTES) {
    throw new CorruptFilesystemError('encrypted name too short', { lengthBytes: ciphertext.length });
  }
  const head = new Uint8Array(HASH_BYTES);
  writeU32(head, 0, hash.major);
  writeU32(head, 4, hash.minor);
  const parts = [head, ciphertext.subarray(0, WHOLE_BYTES)];
  if (ciphertext.length > WHOLE_BYTES) {
    parts.push(createHash('sha256').update(ciphertext.subarray(WHOLE_BYTES)).digest());
  }
  return Buffer.concat(parts).toString('base64url');
}

/** The target that Linux shows for an encrypted symbolic link. @throws CorruptFilesystemError */
export function noKeyTarget(content: Uint8Array): string {
  const lengthBytes = content.length < LINK_HEADER_BYTES ? 0 : readU16(content, 0);
  if (lengthBytes === 0 || lengthBytes + LINK_HEADER_BYTES > content.length) {
    throw new CorruptFilesystemError('encrypted symbolic link', { lengthBytes });
  }
  return noKeyName(content.subarray(LINK_HEADER_BYTES, LINK_HEADER_BYTES + lengthBytes));
}

/** Length of what `noKeyTarget` makes of a link of so many bytes, which is what stat(2) says. */
export function noKeyTargetBytes(sizeBytes: number): number {
  const ciphertext = Math.max(0, sizeBytes - LINK_HEADER_BYTES);
  const bytes = ciphertext > WHOLE_BYTES ? WHOLE_BYTES + SHA256_BYTES : ciphertext;
  return Math.ceil(((HASH_BYTES + bytes) * 4) / 3);
}
