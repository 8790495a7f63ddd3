import fc from 'fast-check';
import { SNAPSHOT_BLOCK_BYTES } from '../../../core/block-device/block-device';
import { CachedBlockReader } from '../../../core/block-device/cached-block-reader';
import { CountingBlockReader } from '../../../core/block-device/counting-block-reader';
import { MemoryBlockDevice } from '../../../core/block-device/memory-block-device';

const SIZE = 4 * SNAPSHOT_BLOCK_BYTES + 1000;

async function disk(): Promise<{ bytes: Uint8Array; device: MemoryBlockDevice }> {
  const bytes = Uint8Array.from({ length: SIZE }, (_, at) => (at * 7 + (at >> 11)) & 0xff);
  const device = new MemoryBlockDevice(SIZE);
  await device.write(0, bytes);
  return { bytes, device };
}

it('gives what the disk holds, at any offset and of any length, and reads no block twice', async () => {
  const { bytes, device } = await disk();
  const counted = new CountingBlockReader(device);
  const cached = new CachedBlockReader(counted);
  await fc.assert(
    fc.asyncProperty(fc.nat(SIZE), fc.nat(SNAPSHOT_BLOCK_BYTES), async (offset, wanted) => {
      const length = Math.min(wanted, SIZE - offset);
      const found = await cached.read(offset, length);
      expect(Buffer.from(found).equals(bytes.subarray(offset, offset + length))).toBe(true);
    }),
  );
  expect(counted.blocksReadMoreThanOnce()).toEqual([]);
  expect(Buffer.from(await cached.read(10, SIZE - 10)).equals(bytes.subarray(10))).toBe(true);
});

it('refuses what is not on the disk, and reads again what could not be read', async () => {
  const { bytes, device } = await disk();
  let fails = true;
  const unsteady = {
    sizeBytes: SIZE,
    read: async (offset: number, length: number) => {
      if (fails) throw new Error('throttled');
      return device.read(offset, length);
    },
  };
  const cached = new CachedBlockReader(unsteady);
  await expect(cached.read(0, 10)).rejects.toThrow('throttled');
  fails = false;
  expect([...(await cached.read(0, 10))]).toEqual([...bytes.subarray(0, 10)]);
  await expect(cached.read(SIZE - 5, 10)).rejects.toMatchObject({ name: 'DeviceRangeError' });
});
