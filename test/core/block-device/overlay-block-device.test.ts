import fc from 'fast-check';
import { SNAPSHOT_BLOCK_BYTES } from '../../../core/block-device/block-device';
import { CountingBlockReader } from '../../../core/block-device/counting-block-reader';
import { MemoryBlockDevice } from '../../../core/block-device/memory-block-device';
import { type ChangedBlock, OverlayBlockDevice } from '../../../core/block-device/overlay-block-device';

const SIZE = 3 * SNAPSHOT_BLOCK_BYTES + 5000;

function pattern(sizeBytes: number): Uint8Array {
  return Uint8Array.from({ length: sizeBytes }, (_, n) => (n * 7 + (n >> 9)) & 0xff);
}

async function collect(overlay: OverlayBlockDevice): Promise<ChangedBlock[]> {
  const blocks: ChangedBlock[] = [];
  for await (const block of overlay.changedBlocks()) {
    blocks.push(block);
  }
  return blocks;
}

const anyRange = fc
  .tuple(
    fc.oneof(
      fc.integer({ min: 0, max: SIZE - 1 }),
      fc.integer({ min: SNAPSHOT_BLOCK_BYTES - 9, max: SNAPSHOT_BLOCK_BYTES + 9 }),
    ),
    fc.oneof(fc.integer({ min: 0, max: 300 }), fc.integer({ min: 4000, max: 20_000 }), fc.constant(SIZE)),
  )
  .map(([offset, length]) => ({ offset, length: Math.min(length, SIZE - offset) }));

describe('OverlayBlockDevice', () => {
  it('reads what a plain buffer would hold, leaves the base alone and yields the real differences', async () => {
    const before = pattern(SIZE);
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(anyRange, fc.option(fc.nat(255))), { minLength: 1, maxLength: 25 }),
        async (steps) => {
          const base = MemoryBlockDevice.from(before);
          const counted = new CountingBlockReader(base);
          const overlay = new OverlayBlockDevice(counted);
          const plain = before.slice();
          for (const [{ offset, length }, value] of steps) {
            if (value !== null) {
              const bytes = new Uint8Array(length).fill(value);
              plain.set(bytes, offset);
              await overlay.write(offset, bytes);
            }
            const got = await overlay.read(offset, length);
            expect(Buffer.compare(got, plain.subarray(offset, offset + length))).toBe(0);
          }
          expect(Buffer.compare(await base.read(0, SIZE), before)).toBe(0);
          const changed = await collect(overlay);
          const expected = [0, 1, 2, 3].filter((index) => {
            const [from, to] = [index * SNAPSHOT_BLOCK_BYTES, (index + 1) * SNAPSHOT_BLOCK_BYTES];
            return Buffer.compare(plain.subarray(from, to), before.subarray(from, to)) !== 0;
          });
          expect(changed.map(({ index }) => index)).toEqual(expected);
          for (const { index, bytes } of changed) {
            const start = index * SNAPSHOT_BLOCK_BYTES;
            const whole = new Uint8Array(SNAPSHOT_BLOCK_BYTES);
            whole.set(plain.subarray(start, start + SNAPSHOT_BLOCK_BYTES));
            expect(Buffer.compare(bytes, whole)).toBe(0);
          }
          expect(counted.blocksReadMoreThanOnce()).toEqual([]);
        },
      ),
      { numRuns: 40 },
    );
  });

  it('does not yield a block that was written with what it held, nor one written back', async () => {
    const before = pattern(SIZE);
    const overlay = new OverlayBlockDevice(MemoryBlockDevice.from(before));
    await overlay.write(10, before.slice(10, 5000));
    await overlay.write(SNAPSHOT_BLOCK_BYTES, new Uint8Array(100));
    await overlay.write(SNAPSHOT_BLOCK_BYTES, before.slice(SNAPSHOT_BLOCK_BYTES, SNAPSHOT_BLOCK_BYTES + 100));
    expect(overlay.dirtyBlocks()).toEqual([0, 1]);
    expect(await collect(overlay)).toEqual([]);
  });

  it('does not read the base of a block that was written from end to end', async () => {
    const counted = new CountingBlockReader(MemoryBlockDevice.from(pattern(SIZE)));
    const overlay = new OverlayBlockDevice(counted);
    await overlay.write(SNAPSHOT_BLOCK_BYTES, new Uint8Array(2 * SNAPSHOT_BLOCK_BYTES).fill(1));
    await overlay.write(3 * SNAPSHOT_BLOCK_BYTES, new Uint8Array(4096).fill(1));
    expect((await collect(overlay)).map(({ index }) => index)).toEqual([1, 2, 3]);
    expect([...counted.readsByBlock.keys()]).toEqual([3]);
  });

  it('yields a block that became zero, as zeros', async () => {
    const overlay = new OverlayBlockDevice(MemoryBlockDevice.from(pattern(SIZE)));
    await overlay.write(SNAPSHOT_BLOCK_BYTES, new Uint8Array(SNAPSHOT_BLOCK_BYTES));
    const [block, ...rest] = await collect(overlay);
    expect(rest).toEqual([]);
    expect(block?.index).toBe(1);
    expect(block?.bytes.every((byte) => byte === 0)).toBe(true);
  });

  it('does not share memory between what it returned and later writes', async () => {
    const overlay = new OverlayBlockDevice(MemoryBlockDevice.from(pattern(SIZE)));
    await overlay.write(0, new Uint8Array(10).fill(1));
    const first = await overlay.read(0, 10);
    const clean = await overlay.read(8192, 10);
    const kept = clean.slice();
    await overlay.write(0, new Uint8Array(10).fill(2));
    await overlay.write(8192, new Uint8Array(10).fill(2));
    expect([...first]).toEqual(Array(10).fill(1));
    expect(clean).toEqual(kept);
  });

  it('refuses what lies outside', async () => {
    const overlay = new OverlayBlockDevice(new MemoryBlockDevice(8192));
    await expect(overlay.write(8190, new Uint8Array(3))).rejects.toMatchObject({ name: 'DeviceRangeError' });
    await expect(overlay.read(-1, 1)).rejects.toMatchObject({ name: 'DeviceRangeError' });
    await expect(overlay.read(0.5, 1)).rejects.toMatchObject({ name: 'DeviceRangeError' });
    expect(overlay.dirtyBlocks()).toEqual([]);
  });

  it('lets a failed read of the base pass, and reads again later', async () => {
    const base = MemoryBlockDevice.from(pattern(SIZE));
    let broken = true;
    const overlay = new OverlayBlockDevice({
      sizeBytes: SIZE,
      read: async (offset, length) => {
        if (broken) {
          throw new Error('throttled');
        }
        return base.read(offset, length);
      },
    });
    await expect(overlay.write(5, new Uint8Array(3))).rejects.toThrow('throttled');
    expect(overlay.dirtyBlocks()).toEqual([]);
    broken = false;
    await overlay.write(5, new Uint8Array(3));
    expect((await collect(overlay)).map(({ index }) => index)).toEqual([0]);
  });

  it('writes all pieces or none, when the base fails at any of them', async () => {
    const base = MemoryBlockDevice.from(pattern(SIZE));
    const overlay = new OverlayBlockDevice({
      sizeBytes: SIZE,
      read: async (offset, length) => {
        if (offset > 0) throw new Error('throttled');
        return base.read(offset, length);
      },
    });
    const pieces = [
      { offsetBytes: 5, bytes: new Uint8Array(3) },
      { offsetBytes: 8192, bytes: new Uint8Array(4096) },
      { offsetBytes: SNAPSHOT_BLOCK_BYTES + 5, bytes: new Uint8Array(3) },
    ];
    await expect(overlay.writeAll(pieces)).rejects.toThrow('throttled');
    expect(overlay.dirtyBlocks()).toEqual([]);
    expect(await overlay.read(0, 100)).toEqual(pattern(100));
    await overlay.writeAll(pieces.slice(0, 2));
    expect((await collect(overlay)).map(({ index }) => index)).toEqual([0]);
  });
});
