import { BlockMemory } from '../../../core/block-device/block-memory';
import { BlockWindow } from '../../../core/block-device/block-window';
import { type BlockReader, SNAPSHOT_BLOCK_BYTES } from '../../../core/block-device/block-device';
import { CachedBlockReader } from '../../../core/block-device/cached-block-reader';
import { CountingBlockReader } from '../../../core/block-device/counting-block-reader';
import { FaultingCache } from '../../../core/block-device/faulting-cache';
import { OverlayBlockDevice } from '../../../core/block-device/overlay-block-device';

const block = (): Uint8Array => new Uint8Array(1000);

test('what was used the longest ago goes first, of whichever table', () => {
  const memory = new BlockMemory(3000);
  const [one, other] = [memory.table(), memory.table()];
  one.set(1, block());
  other.set(1, block());
  one.set(2, block());
  expect(one.get(1)).toBeDefined();
  other.set(2, block());
  expect([one.get(1), other.get(1), one.get(2), other.get(2)].map((held) => held !== undefined)).toEqual([
    true,
    false,
    true,
    true,
  ]);
});

test('a block that two layers hold counts once, and goes from both', () => {
  const memory = new BlockMemory(2000);
  const [below, above] = [memory.table(), memory.table()];
  const shared = block();
  below.set(0, shared);
  above.set(7, shared.subarray(100));
  below.set(1, block());
  expect(above.get(7)).toHaveLength(900);
  below.set(2, block());
  below.set(3, block());
  expect([below.get(0), above.get(7)]).toEqual([undefined, undefined]);
});

test('a block that was replaced is not lost when its old bytes go; what is larger than the memory is not held', () => {
  const memory = new BlockMemory(2000);
  const table = memory.table();
  table.set(0, block());
  const fresh = block();
  table.set(0, fresh);
  table.set(1, block());
  expect(table.get(0)).toBe(fresh);
  table.set(2, new Uint8Array(5000));
  expect(table.get(2)).toBeUndefined();
});

/** A volume of 64 blocks of zeros. */
const volume = (): BlockReader => ({
  sizeBytes: 64 * SNAPSHOT_BLOCK_BYTES,
  read: async (_offset, length) => new Uint8Array(length),
});

test('all layers over all volumes of an image keep to one memory', async () => {
  const memory = new BlockMemory(32 * SNAPSHOT_BLOCK_BYTES);
  let held = 0;
  const counted = Array.from({ length: 4 }, () => new CountingBlockReader(volume()));
  for (const reader of counted) {
    const overlay = new OverlayBlockDevice(new CachedBlockReader(reader, memory));
    const window = new BlockWindow(overlay, 2 * SNAPSHOT_BLOCK_BYTES, 60 * SNAPSHOT_BLOCK_BYTES);
    const cache = new FaultingCache(window);
    expect([overlay.memory, window.memory, cache.cacheBytes]).toEqual([memory, memory, memory.maxBytes]);
    for (let index = 0; index < 60; index += 1) {
      await cache.prefetch([{ offsetBytes: index * SNAPSHOT_BLOCK_BYTES, lengthBytes: 10 }]);
    }
    held = 0;
    for (let index = 0; index < 60; index += 1) {
      try {
        cache.read(index * SNAPSHOT_BLOCK_BYTES, 10);
        held += 1;
      } catch {
        // Not in memory.
      }
    }
    // Three layers hold each block, and it counts once.
    expect(held).toBe(32);
    expect(reader.blocksReadMoreThanOnce()).toEqual([]);
  }
});
