import fc from 'fast-check';
import { BlockFault } from '../../../core/block-device/block-fault';
import { CountingBlockReader } from '../../../core/block-device/counting-block-reader';
import { FaultingCache } from '../../../core/block-device/faulting-cache';
import { MemoryBlockDevice } from '../../../core/block-device/memory-block-device';
import { OverlayBlockDevice } from '../../../core/block-device/overlay-block-device';

const SIZE = 300_000;
const BLOCK = 16_384;

function pattern(sizeBytes: number): Uint8Array {
  return Uint8Array.from({ length: sizeBytes }, (_, n) => (n * 13 + (n >> 8)) & 0xff);
}

const anyRange = fc
  .tuple(fc.integer({ min: 0, max: SIZE - 1 }), fc.integer({ min: 0, max: 40_000 }))
  .map(([offset, length]) => ({ offset, length: Math.min(length, SIZE - offset) }));
const anyStep = fc.record({ range: anyRange, value: fc.option(fc.nat(255)), edit: fc.boolean() });
const anyOperation = fc.record({
  steps: fc.array(anyStep, { minLength: 1, maxLength: 8 }),
  fails: fc.boolean(),
});

describe('FaultingCache', () => {
  it('runs operations as on a plain buffer; one that fails or faults leaves no trace', async () => {
    const before = pattern(SIZE);
    await fc.assert(
      fc.asyncProperty(
        fc.array(anyOperation, { minLength: 1, maxLength: 8 }),
        fc.constantFrom(BLOCK, 4 * BLOCK, SIZE),
        async (operations, cacheBytes) => {
          const overlay = new OverlayBlockDevice(MemoryBlockDevice.from(before));
          const cache = new FaultingCache(overlay, { cacheBytes, blockBytes: BLOCK });
          let plain = before.slice();
          for (const { steps, fails } of operations) {
            const next = plain.slice();
            for (const { range, value, edit } of steps) {
              const length = edit ? Math.min(range.length, 4096 - (range.offset % 4096)) : range.length;
              if (value !== null) {
                next.fill(value, range.offset, range.offset + length);
              }
            }
            const run = cache.transaction((transaction) => {
              const seen = plain.slice();
              for (const { range, value, edit } of steps) {
                const length = edit ? Math.min(range.length, 4096 - (range.offset % 4096)) : range.length;
                if (value !== null && edit) {
                  transaction.edit(range.offset, length).fill(value);
                } else if (value !== null) {
                  transaction.write(range.offset, new Uint8Array(length).fill(value));
                }
                if (value !== null) {
                  seen.fill(value, range.offset, range.offset + length);
                }
                const got = transaction.read(range.offset, range.length);
                const want = seen.subarray(range.offset, range.offset + range.length);
                if (Buffer.compare(got, want) !== 0) {
                  throw new Error('the transaction does not see its own writes');
                }
              }
              if (fails) {
                throw new RangeError('on purpose');
              }
              return 'done';
            });
            if (fails) {
              await expect(run).rejects.toThrow('on purpose');
            } else {
              expect(await run).toBe('done');
              plain = next;
            }
            const viaCache = await cache.run(() => cache.read(0, SIZE));
            expect(Buffer.compare(viaCache, plain)).toBe(0);
            expect(Buffer.compare(await overlay.read(0, SIZE), plain)).toBe(0);
          }
        },
      ),
      { numRuns: 40 },
    );
  });

  it('reads no block twice while all fit, also under parallel operations', async () => {
    const counted = new CountingBlockReader(MemoryBlockDevice.from(pattern(SIZE)), BLOCK);
    const cache = new FaultingCache(counted, { blockBytes: BLOCK });
    await Promise.all(
      Array.from({ length: 50 }, (_, n) =>
        cache.run(() => [cache.read((n * 7919) % 200_000, 50_000), cache.read(n * 100, 10)]),
      ),
    );
    expect(counted.blocksReadMoreThanOnce()).toEqual([]);
  });

  it('fetches everything that is needed at once, and hints along with a fault', async () => {
    const counted = new CountingBlockReader(MemoryBlockDevice.from(pattern(SIZE)), BLOCK);
    const cache = new FaultingCache(counted, { blockBytes: BLOCK });
    let runs = 0;
    await cache.run(() => {
      runs += 1;
      cache.hint([{ offsetBytes: 5 * BLOCK, lengthBytes: 10 }]);
      cache.need([
        { offsetBytes: 0, lengthBytes: 10 },
        { offsetBytes: 3 * BLOCK - 1, lengthBytes: 2 },
      ]);
      return [cache.read(0, 1), cache.read(2 * BLOCK, 1), cache.read(3 * BLOCK, 1), cache.read(5 * BLOCK, 1)];
    });
    expect(runs).toBe(2);
    expect([...counted.readsByBlock.keys()].sort()).toEqual([0, 2, 3, 5]);
  });

  it('finishes an operation that needs more blocks than the cache holds', async () => {
    const counted = new CountingBlockReader(MemoryBlockDevice.from(pattern(SIZE)), BLOCK);
    const cache = new FaultingCache(counted, { blockBytes: BLOCK, cacheBytes: BLOCK });
    const sum = await cache.run(() => {
      let total = 0;
      for (let round = 0; round < 3; round += 1) {
        for (let offset = 0; offset < SIZE; offset += 1000) {
          total += cache.read(offset, 1)[0] ?? 0;
        }
      }
      return total;
    });
    const all = pattern(SIZE);
    let want = 0;
    for (let offset = 0; offset < SIZE; offset += 1000) {
      want += 3 * (all[offset] ?? 0);
    }
    expect(sum).toBe(want);
    expect(counted.blocksReadMoreThanOnce()).toEqual([]);
  });

  it('writes whole pages without reading them', async () => {
    const counted = new CountingBlockReader(MemoryBlockDevice.from(pattern(SIZE)), BLOCK);
    const overlay = new OverlayBlockDevice(counted);
    const cache = new FaultingCache(overlay, { blockBytes: BLOCK });
    await cache.transaction((transaction) => transaction.write(8192, new Uint8Array(8192).fill(9)));
    expect(counted.calls).toBe(0);
    expect(cache.read(10_000, 3)).toEqual(new Uint8Array(3).fill(9));
    expect(() => cache.read(8191, 2)).toThrow(BlockFault);
  });

  it('keeps what it returned as it was', async () => {
    const cache = new FaultingCache(new OverlayBlockDevice(MemoryBlockDevice.from(pattern(SIZE))));
    const views = await cache.run(() => [cache.read(0, 100), cache.read(0, 9000)]);
    await cache.transaction((transaction) => transaction.edit(0, 100).fill(1));
    const second = cache.read(0, 100);
    await cache.transaction((transaction) => transaction.edit(0, 100).fill(2));
    expect(views[0]).toEqual(pattern(SIZE).subarray(0, 100));
    expect(views[1]).toEqual(pattern(SIZE).subarray(0, 9000));
    expect(second).toEqual(new Uint8Array(100).fill(1));
  });

  it('refuses to write to a mere reader, and to go on after the device failed', async () => {
    const reader = { sizeBytes: 4096, read: async () => new Uint8Array(4096) };
    const write = (cache: FaultingCache): Promise<void> =>
      cache.transaction((transaction) => transaction.write(0, new Uint8Array(4096)));
    await expect(write(new FaultingCache(reader))).rejects.toMatchObject({ name: 'ReadOnlyDeviceError' });
    let writes = 0;
    const failing = new FaultingCache({
      ...reader,
      write: async () => {
        writes += 1;
        throw new Error('out of memory');
      },
    });
    await expect(write(failing)).rejects.toThrow('out of memory');
    await expect(write(failing)).rejects.toThrow('out of memory');
    expect(writes).toBe(1);
    // What is in memory is not on the device: it is not told either.
    await expect(failing.run(() => failing.read(0, 4))).rejects.toThrow('out of memory');
  });

  it('lets a failed fetch pass and fetches again later', async () => {
    let broken = true;
    const cache = new FaultingCache({
      sizeBytes: 4096,
      read: async () => {
        if (broken) {
          throw new Error('throttled');
        }
        return new Uint8Array(4096);
      },
    });
    await expect(cache.run(() => cache.read(0, 4))).rejects.toThrow('throttled');
    broken = false;
    expect(await cache.run(() => cache.read(0, 4))).toEqual(new Uint8Array(4));
  });
});
