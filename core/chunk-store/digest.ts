import { createHash, hash } from 'node:crypto';
import type { Digest } from './chunk-store';

/** SHA-256 of these bytes, the name of every content, record, pack and manifest. */
export function digestOf(bytes: Uint8Array): Digest {
  return `sha256:${hash('sha256', bytes, 'hex')}`;
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
