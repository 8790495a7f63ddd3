import { createHash } from 'node:crypto';

/** SHA-256 of one block: the only checksum EBS direct knows. */
export function blockDigest(bytes: Uint8Array): Buffer {
  return createHash('sha256').update(bytes).digest();
}

/**
 * The LINEAR aggregate of CompleteSnapshot, in Base64: SHA-256 over the raw 32-byte digests (not their Base64 texts) in
 * ascending order of block index.
 */
export function linearChecksum(digests: ReadonlyMap<number, Uint8Array>): string {
  const hash = createHash('sha256');
  for (const index of [...digests.keys()].sort((a, b) => a - b)) hash.update(digests.get(index)!);
  return hash.digest('base64');
}
