import { BlockWindow } from '../../../core/block-device/block-window';
import { MemoryBlockDevice } from '../../../core/block-device/memory-block-device';

describe('BlockWindow', () => {
  it('reads and writes at its own offsets, and nothing outside', async () => {
    const disk = MemoryBlockDevice.from(Uint8Array.from({ length: 100_000 }, (_, n) => n & 0xff));
    const window = new BlockWindow(disk, 63 * 512, 10_000);
    expect([...(await window.read(1, 2))]).toEqual([(63 * 512 + 1) & 0xff, (63 * 512 + 2) & 0xff]);
    await window.write(9_999, Uint8Array.of(7));
    expect([...(await disk.read(63 * 512 + 9_999, 1))]).toEqual([7]);
    await expect(window.read(9_999, 2)).rejects.toMatchObject({ name: 'DeviceRangeError' });
    await expect(window.write(10_000, Uint8Array.of(1))).rejects.toMatchObject({ name: 'DeviceRangeError' });
  });

  it('cannot reach beyond its disk', () => {
    expect(() => new BlockWindow(new MemoryBlockDevice(1000), 500, 501)).toThrow(
      expect.objectContaining({ name: 'DeviceRangeError' }),
    );
  });

  it('refuses to write over a mere reader', async () => {
    const window = new BlockWindow({ sizeBytes: 10, read: async () => new Uint8Array(10) }, 0, 10);
    await expect(window.write(0, Uint8Array.of(1))).rejects.toMatchObject({ name: 'ReadOnlyDeviceError' });
  });
});
