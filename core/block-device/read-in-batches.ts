import { type ByteRange, SNAPSHOT_BLOCK_BYTES } from './block-device';
import type { FaultingCache } from './faulting-cache';

/** How much is fetched at a time, and once more ahead of it: enough blocks in flight for any network, little memory. */
const BATCH_BYTES = 32 * SNAPSHOT_BLOCK_BYTES;

/**
 * Reads ordered ranges, a batch at a time, while the next batch is on its way. Each range should lie within one block of
 * the cache: then its bytes are a view, not a copy.
 */
export async function readInBatches<T extends ByteRange>(
  cache: FaultingCache,
  ranges: readonly T[],
  use: (batch: readonly (readonly [range: T, bytes: Uint8Array])[]) => void | Promise<void>,
): Promise<void> {
  const batchBytes = Math.max(cache.blockBytes, Math.min(BATCH_BYTES, cache.cacheBytes / 4));
  const batches = batchesOf(ranges, cache.blockBytes, batchBytes);
  let batch = batches.next();
  while (batch.done !== true) {
    const wanted = batch.value;
    const read = await cache.run(() => {
      cache.need(wanted);
      return wanted.map((range) => [range, cache.read(range.offsetBytes, range.lengthBytes)] as const);
    });
    batch = batches.next();
    // When it fails, it fails again, and is thrown, when its turn comes.
    if (batch.done !== true) cache.prefetch(batch.value).catch(() => undefined);
    await use(read);
  }
}

/** Cuts ordered ranges into batches that touch about so many bytes of blocks each. */
function* batchesOf<T extends ByteRange>(
  ranges: readonly T[],
  blockBytes: number,
  batchBytes: number,
): Generator<T[], undefined> {
  let batch: T[] = [];
  let bytes = 0;
  let lastBlock = -1;
  for (const range of ranges) {
    const first = Math.floor(range.offsetBytes / blockBytes);
    const last = Math.floor((range.offsetBytes + range.lengthBytes - 1) / blockBytes);
    bytes += (last - Math.max(first - 1, lastBlock)) * blockBytes;
    lastBlock = last;
    batch.push(range);
    if (bytes >= batchBytes) {
      yield batch;
      batch = [];
      bytes = 0;
    }
  }
  if (batch.length > 0) yield batch;
  return undefined;
}
