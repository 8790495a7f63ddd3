import { createHash } from 'node:crypto';
import { DirectEngine } from '../../core/apply/direct-engine';
import { BlockWindow } from '../../core/block-device/block-window';
import { MemoryBlockDevice } from '../../core/block-device/memory-block-device';
import { OverlayBlockDevice } from '../../core/block-device/overlay-block-device';
import { openExt4Writable } from '../../core/filesystem/ext4/write/open-ext4-writable';
import { FailingReader, FailingWrites, isOnPurpose } from '../support/failing-device';
import { FileBlockDevice } from '../support/file-block-device';
import { ImageFolder, makeImage, onMountedImage } from '../support/mounted-image';
import { mkfsCommand } from '../support/volume-matrix';
import { GROUND, OPERATIONS_OF_EACH_KIND, sequence } from './operations';

/** A partition that begins where no page of the overlay does: a write must read what else its pages hold. */
const PARTITION_OFFSET_BYTES = 63 * 512;
/** So little memory that blocks are read again and again: many reads to fail. */
const LITTLE_MEMORY_BYTES = 524_288;

jest.setTimeout(120_000);

let disk: MemoryBlockDevice;
beforeAll(async () => {
  await using folder = await ImageFolder.make();
  const file = folder.image('volume');
  await makeImage(file, 8, mkfsCommand(['-b', '1024', '-g', '2048', '-J', 'size=1']));
  await onMountedImage(file, GROUND);
  await using volume = await FileBlockDevice.open(file);
  const bytes = new Uint8Array(volume.sizeBytes + PARTITION_OFFSET_BYTES);
  bytes.set(await volume.read(0, volume.sizeBytes), PARTITION_OFFSET_BYTES);
  disk = MemoryBlockDevice.from(bytes);
});

async function openVolume() {
  const base = new FailingReader(disk);
  const overlay = new OverlayBlockDevice(base, { baseCacheBytes: LITTLE_MEMORY_BYTES });
  const device = new FailingWrites(
    new BlockWindow(overlay, PARTITION_OFFSET_BYTES, disk.sizeBytes - PARTITION_OFFSET_BYTES),
  );
  const writer = await openExt4Writable(device, {
    cacheBytes: LITTLE_MEMORY_BYTES,
    areaShiftBytes: PARTITION_OFFSET_BYTES,
  });
  const before = await digest(overlay);
  base.reads.recover();
  const mounts = [{ mountPoint: '/', kind: 'ext4', filesystem: writer, writer }];
  return { reads: base.reads, writes: device.writes, overlay, before, writer, mounts };
}

/** Of everything that differs from the disk. */
async function digest(overlay: OverlayBlockDevice): Promise<string> {
  const hash = createHash('sha256');
  for await (const { index, bytes } of overlay.changedBlocks()) hash.update(`${index}`).update(bytes);
  return hash.digest('hex');
}

describe.each(OPERATIONS_OF_EACH_KIND)('%s', (_what, operation) => {
  const perform = async ({ mounts }: Awaited<ReturnType<typeof openVolume>>): Promise<unknown> =>
    new DirectEngine().perform(mounts, sequence([operation])).then(
      () => 'done',
      (error: unknown) => error,
    );

  it('leaves the overlay as it was whichever read fails, and is done whole when it is tried again', async () => {
    const whole = await openVolume();
    expect(await perform(whole)).toBe('done');
    const { calls } = whole.reads;
    const after = await digest(whole.overlay);
    expect(after).not.toBe(whole.before);
    expect(calls).toBeGreaterThan(1);
    for (let nth = 0; nth < calls; nth += 1) {
      const volume = await openVolume();
      volume.reads.failFrom(nth);
      const error = await perform(volume);
      expect([nth, isOnPurpose(error), (error as Error).name]).toEqual([nth, true, 'ApplyError']);
      volume.reads.recover();
      expect([nth, await digest(volume.overlay)]).toEqual([nth, volume.before]);
      const again = await perform(volume);
      // After a write that failed, writer and device are no longer one: nothing is answered any more.
      expect([nth, again === 'done' || isOnPurpose(again)]).toEqual([nth, true]);
      expect([nth, await digest(volume.overlay)]).toEqual([nth, again === 'done' ? after : volume.before]);
    }
  });

  it('leaves the overlay as it was whichever write fails', async () => {
    const whole = await openVolume();
    whole.writes.recover();
    expect(await perform(whole)).toBe('done');
    const { calls } = whole.writes;
    expect(calls).toBeGreaterThan(0);
    for (let nth = 0; nth < calls; nth += 1) {
      const volume = await openVolume();
      volume.writes.failFrom(nth);
      const error = await perform(volume);
      expect([nth, isOnPurpose(error), (error as Error).name]).toEqual([nth, true, 'ApplyError']);
      expect([nth, await digest(volume.overlay)]).toEqual([nth, volume.before]);
    }
  });
});

it('opening leaves the overlay as it was whichever read fails', async () => {
  const opened = await openVolume();
  const counted = new FailingReader(disk);
  const open = async (base: FailingReader) => {
    const overlay = new OverlayBlockDevice(base);
    const window = new BlockWindow(overlay, PARTITION_OFFSET_BYTES, disk.sizeBytes - PARTITION_OFFSET_BYTES);
    await openExt4Writable(window);
    return overlay;
  };
  await open(counted);
  expect(counted.reads.calls).toBeGreaterThan(2);
  for (let nth = 0; nth < counted.reads.calls; nth += 1) {
    const base = new FailingReader(disk);
    base.reads.failFrom(nth);
    await expect(open(base)).rejects.toThrow('on purpose');
  }
  expect(await opened.writer.check()).toEqual([]);
});
