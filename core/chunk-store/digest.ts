import { createHash, hash, webcrypto } from 'node:crypto';
import type { Digest } from './chunk-store';

/** SHA-256 of these bytes, the name of every content, record, pack and manifest. */
export function digestOf(bytes: Uint8Array): Digest {
  return `sha256:${hash('sha256', bytes, 'hex')}`;
}

/** What is shorter is done before another thread would have begun. */
const LEAST_IN_BACKGROUND_BYTES = 32 * 1024;
/** More at a time would only wait, and hold memory meanwhile: this thread takes its share. */
const MOST_IN_BACKGROUND_BYTES = 8 * 1024 * 1024;
let inBackgroundBytes = 0;

/**
 * As `digestOf`, in another thread (those of libuv, as web crypto has it) when it pays and they have little to do, else
 * in this one. The bytes must not change until it is done.
 */
export async function digestAside(bytes: Uint8Array): Promise<Digest> {
  const isFull = inBackgroundBytes > 0 && inBackgroundBytes + bytes.length > MOST_IN_BACKGROUND_BYTES;
  if (bytes.length < LEAST_IN_BACKGROUND_BYTES || isFull) return digestOf(bytes);
  inBackgroundBytes += bytes.length;
  try {
    const found = await webcrypto.subtle.digest('SHA-256', bytes as Uint8Array<ArrayBuffer>);
    return `sha256:${Buffer.from(found).toString('hex')}`;
  } finally {
    inBackgroundBytes -= bytes.length;
  }
}

/** Digest of what a reader gives piece by piece, and how many bytes it was. */
export async function digestOfStream(
  pieces: AsyncIterable<Uint8Array>,
): Promise<{ digest: Digest; sizeBytes: number }> {
  const hash = createHash('sha256');
  let sizeBytes = 0;
  for await (const piece of pieces) {
    hash.update(piece);
    sizeBytes += piece.length;
  }
  return { digest: `sha256:${hash.digest('hex')}`, sizeBytes };
}
