import { OverlayBlockDevice } from '../../core/block-device/overlay-block-device';
import { SNAPSHOT_BLOCK_BYTES } from '../../core/block-device/block-device';
import { isSnapshotReadable } from '../../aws/ec2/instance-snapshots';
import { SnapshotReader } from '../../aws/ebs/snapshot-reader';
import { SnapshotWriter } from '../../aws/ebs/snapshot-writer';
import { linearChecksum } from '../../aws/ebs/block-checksum';
import { UsageMeter } from '../../aws/ebs/usage-meter';
import { putChangedBlocks, OutOfTime } from '../../aws/steps/put-blocks';
import { startTestServices, type TestServices } from '../support/aws-services';
import { addMachine, snapshotOf } from '../support/test-machines';

let services: TestServices;
beforeEach(async () => {
  services = await startTestServices();
});
afterEach(() => services.close());

const block = (fill: number): Buffer => Buffer.alloc(SNAPSHOT_BLOCK_BYTES, fill);

/** Random access by bytes, over blocks that hold their index. */
describe('SnapshotReader', () => {
  test('reads across blocks, and zeros where nothing was ever written', async () => {
    const machine = await addMachine(services, { blocks: { 0: block(1), 2: block(3) } });
    const reader = await SnapshotReader.open(services.ebs, await snapshotOf(services, machine));
    expect(reader.sizeBytes).toBe(2 ** 30);
    const bytes = await reader.read(SNAPSHOT_BLOCK_BYTES - 2, SNAPSHOT_BLOCK_BYTES + 4);
    expect([...bytes.subarray(0, 3)]).toEqual([1, 1, 0]);
    expect([...bytes.subarray(-3)]).toEqual([0, 3, 3]);
  });

  test('reads no block twice, and blocks never written not at all', async () => {
    const machine = await addMachine(services, { blocks: { 0: block(1), 2: block(3) } });
    const meter = new UsageMeter();
    const reader = await SnapshotReader.open(services.ebs, await snapshotOf(services, machine), { meter });
    await Promise.all([
      reader.read(0, 4096),
      reader.read(100, 5 * SNAPSHOT_BLOCK_BYTES),
      reader.read(8192, 10),
    ]);
    await reader.read(2 * SNAPSHOT_BLOCK_BYTES, 1);
    expect(meter.usage()).toEqual({
      listCalls: 1,
      getBlocks: 2,
      putBlocks: 0,
      bytesRead: 2 * SNAPSHOT_BLOCK_BYTES,
      bytesWritten: 0,
    });
  });

  test('refuses a range outside of the volume', async () => {
    const machine = await addMachine(services, { blocks: { 0: block(1) } });
    const reader = await SnapshotReader.open(services.ebs, await snapshotOf(services, machine));
    await expect(reader.read(2 ** 30 - 1, 2)).rejects.toThrow(RangeError);
    await expect(reader.read(-1, 2)).rejects.toThrow(RangeError);
  });

  test('is patient with a service that throttles', async () => {
    const machine = await addMachine(services, { blocks: { 0: block(7) } });
    const snapshotId = await snapshotOf(services, machine);
    services.faults.add({ service: 'ebs', operation: 'GetSnapshotBlock', kind: 'throttle', times: 2 });
    const reader = await SnapshotReader.open(services.ebs, snapshotId);
    expect((await reader.read(0, 1))[0]).toBe(7);
    expect(services.faults.unused()).toEqual([]);
  });
});

describe('SnapshotWriter', () => {
  test('writes a child that has the changes and else its parent', async () => {
    const machine = await addMachine(services, { blocks: { 0: block(1), 1: block(2), 2: block(3) } });
    const parentSnapshotId = await snapshotOf(services, machine);
    const meter = new UsageMeter();
    const writer = await start(parentSnapshotId, 'token', meter);
    const digests = new Map([
      [5, await writer.put(5, block(9))],
      // A block that became zero has to be put as zeros.
      [1, await writer.put(1, block(0))],
    ]);
    await writer.complete(digests);
    await untilReadable(writer.snapshotId);
    const reader = await SnapshotReader.open(services.ebs, writer.snapshotId, { pause: services.pause });
    const firstBytes = await Promise.all(
      [0, 1, 2, 5, 6].map(async (index) => (await reader.read(index * SNAPSHOT_BLOCK_BYTES, 1))[0]),
    );
    expect(firstBytes).toEqual([1, 0, 3, 9, 0]);
    expect(meter.putBlocks).toBe(2);
  });

  test('a second start with the same token finds the same snapshot, with other parameters it is refused', async () => {
    const machine = await addMachine(services, { blocks: { 0: block(1) } });
    const parent = await snapshotOf(services, machine);
    const first = await start(parent, 'token');
    expect((await start(parent, 'token')).snapshotId).toBe(first.snapshotId);
    expect((await start(parent, 'other')).snapshotId).not.toBe(first.snapshotId);
    await expect(start(parent, 'token', new UsageMeter(), 2)).rejects.toMatchObject({
      name: 'SnapshotTokenConflictError',
    });
  });

  test('the LINEAR checksum is of raw digests in the order of the blocks', () => {
    // SHA-256 of 32 bytes of 1 and 32 bytes of 2, worked out with sha256sum.
    const digests = new Map([
      [7, Buffer.alloc(32, 2)],
      [3, Buffer.alloc(32, 1)],
    ]);
    expect(linearChecksum(digests)).toBe('+Biv03ptw7yS+0RzEBEncAbbTvpukCPNdGjAIzXSKk0=');
  });
});

describe('putChangedBlocks', () => {
  const KEY = 'journal.json';

  test('a writer that is killed is followed by one that puts only the rest', async () => {
    const { overlay, writer, parent } = await changedOverlay(30);
    let left = 20;
    const outOfTime = await putChangedBlocks(overlay, writer, services.documents, KEY, () => left-- > 0);
    expect(outOfTime).toBeInstanceOf(OutOfTime);
    expect(puts()).toBe(20);

    // Another invocation: everything is worked out anew, the snapshot is found by its token.
    const again = await start(parent, 'token');
    expect(again.snapshotId).toBe(writer.snapshotId);
    const digests = await putChangedBlocks(overlay, again, services.documents, KEY, () => true);
    expect(puts()).toBe(30);
    expect(digests).toBeInstanceOf(Map);
    await again.complete(digests as Map<number, Uint8Array>);
    await untilReadable(again.snapshotId);
  });

  test('after a put that failed for good, what was put is known to the next try', async () => {
    const { overlay, writer, parent } = await changedOverlay(40);
    const attempts = { service: 'ebs', operation: 'PutSnapshotBlock', times: 500 } as const;
    services.faults.add({ ...attempts, kind: 'error-after-effect', after: 25 });
    await expect(
      putChangedBlocks(overlay, writer, services.documents, KEY, () => true),
    ).rejects.toMatchObject({ name: 'InternalServerException' });
    services.faults.clear();
    const before = puts();
    const digests = await putChangedBlocks(
      overlay,
      await start(parent, 'token'),
      services.documents,
      KEY,
      () => true,
    );
    expect(puts() - before).toBeLessThanOrEqual(40 - 25);
    expect((digests as Map<number, Uint8Array>).size).toBe(40);
  }, 60_000);

  test('a block that an earlier try put, and that is not changed any more, gets its base content back', async () => {
    const { overlay, writer, parent } = await changedOverlay(3);
    await putChangedBlocks(overlay, writer, services.documents, KEY, () => true);
    await overlay.write(0, Buffer.alloc(1, 1));
    const again = await start(parent, 'token');
    const digests = await putChangedBlocks(overlay, again, services.documents, KEY, () => true);
    await again.complete(digests as Map<number, Uint8Array>);
    await untilReadable(again.snapshotId);
    const reader = await SnapshotReader.open(services.ebs, again.snapshotId, { pause: services.pause });
    expect((await reader.read(0, 1))[0]).toBe(1);
    expect((await reader.read(SNAPSHOT_BLOCK_BYTES, 1))[0]).toBe(99);
  });

  test('a block that was put just before its writer was killed gets its base content back too', async () => {
    const { overlay, writer, parent } = await changedOverlay(3);
    // Killed before the journal tells of any put; the next one works out other blocks.
    await writer.put(2, block(99));
    let asked = 0;
    await putChangedBlocks(overlay, writer, services.documents, KEY, () => (asked += 1) > 1);
    const other = new OverlayBlockDevice(await SnapshotReader.open(services.ebs, parent));
    await other.write(SNAPSHOT_BLOCK_BYTES, Buffer.alloc(1, 77));
    const again = await start(parent, 'token');
    const digests = await putChangedBlocks(other, again, services.documents, KEY, () => true);
    await again.complete(digests as Map<number, Uint8Array>);
    await untilReadable(again.snapshotId);
    const reader = await SnapshotReader.open(services.ebs, again.snapshotId, { pause: services.pause });
    const firstBytes = await Promise.all(
      [0, 1, 2].map(async (index) => (await reader.read(index * SNAPSHOT_BLOCK_BYTES, 1))[0]),
    );
    expect(firstBytes).toEqual([1, 77, 1]);
  });

  /** A volume of ones in its first blocks, the first byte of each changed to 99 in an overlay. */
  async function changedOverlay(count: number) {
    const blocks = Object.fromEntries(Array.from({ length: count }, (_, index) => [index, block(1)]));
    const parent = await snapshotOf(services, await addMachine(services, { blocks }));
    const overlay = new OverlayBlockDevice(await SnapshotReader.open(services.ebs, parent));
    for (let index = 0; index < count; index += 1) {
      await overlay.write(index * SNAPSHOT_BLOCK_BYTES, Buffer.alloc(1, 99));
    }
    return { overlay, parent, writer: await start(parent, 'token') };
  }
});

const puts = (): number => services.calls.filter((operation) => operation === 'PutSnapshotBlock').length;

function start(parentSnapshotId: string, clientToken: string, meter = new UsageMeter(), sizeGib = 1) {
  const options = { parentSnapshotId, sizeGib, clientToken, tags: { a: 'b' }, description: 'test' };
  return SnapshotWriter.start(services.ebs, options, meter, services.pause);
}

async function untilReadable(snapshotId: string): Promise<void> {
  while (!(await isSnapshotReadable(services.ec2, services.ebs, snapshotId))) await services.pause(1000);
}
