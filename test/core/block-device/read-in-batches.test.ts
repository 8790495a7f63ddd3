import { CountingBlockReader } from '../../../core/block-device/counting-block-reader';
import { FaultingCache } from '../../../core/block-device/faulting-cache';
import { MemoryBlockDevice } from '../../../core/block-device/memory-block-device';
import { readInBatches } from '../../../core/block-device/read-in-batches';

const BLOCK = 4096;
const BLOCKS = 200;

function numberedBlocks(): MemoryBlockDevice {
  const bytes = new Uint8Array(BLOCK * BLOCKS);
  for (let at = 0; at < bytes.length; at += 1) bytes[at] = Math.floor(at / BLOCK);
  return MemoryBlockDevice.from(bytes);
}

const everyBlock = Array.from({ length: BLOCKS }, (_, n) => ({
  offsetBytes: n * BLOCK + 7,
  lengthBytes: 100,
}));

test('every range is given once, in order, and every block read once, however small the cache', async () => {
  for (const cacheBytes of [BLOCK * 8, BLOCK * BLOCKS]) {
    const reader = new CountingBlockReader(numberedBlocks(), BLOCK);
    const cache = new FaultingCache(reader, { blockBytes: BLOCK, cacheBytes });
    const seen: number[] = [];
    await readInBatches(cache, everyBlock, (batch) => {
      for (const [range, bytes] of batch) {
        expect(bytes).toHaveLength(range.lengthBytes);
        seen.push(bytes[50]!);
      }
    });
    expect(seen).toEqual(Array.from({ length: BLOCKS }, (_, n) => n));
    expect(reader.blocksReadMoreThanOnce()).toEqual([]);
  }
});

test('a read that fails is thrown, also when it was made ahead', async () => {
  const device = numberedBlocks();
  const failing = {
    sizeBytes: device.sizeBytes,
    read: async (offsetBytes: number, lengthBytes: number) => {
      if (offsetBytes >= BLOCK * 100) throw new Error('broken disk');
      return device.read(offsetBytes, lengthBytes);
    },
  };
  const cache = new FaultingCache(failing, { blockBytes: BLOCK, cacheBytes: BLOCK * 64 });
  await expect(readInBatches(cache, everyBlock, () => undefined)).rejects.toThrow('broken disk');
});
