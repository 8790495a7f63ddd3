import { KernelEngine } from '../../core/apply/kernel-engine';
import { OverlayBlockDevice } from '../../core/block-device/overlay-block-device';
import { FailingReader, FailingWrites, isOnPurpose } from '../support/failing-device';
import { FileBlockDevice } from '../support/file-block-device';
import { kernelForTests } from '../support/kernel-engine';
import { MemoryFilesystem } from '../support/memory-filesystem';
import { ImageFolder, makeImage, onMountedImage } from '../support/mounted-image';
import { GROUND, OPERATIONS_OF_EACH_KIND, sequence } from './operations';

/** Each fault costs a machine: three reads that change from day to day and the write, or every one by EVERY_FAULT=1. */
const EVERY = process.env['EVERY_FAULT'] !== undefined;
const DAY = Math.floor(Date.now() / 86_400_000);

jest.setTimeout(EVERY ? 3_600_000 : 240_000);

let folder: ImageFolder;
let base: FileBlockDevice;
let engine: KernelEngine;
beforeAll(async () => {
  folder = await ImageFolder.make();
  const file = folder.image('volume');
  await makeImage(file, 48, ['mkfs.xfs', '-q', '-f', '--unsupported']);
  await onMountedImage(file, GROUND);
  base = await FileBlockDevice.open(file);
  engine = new KernelEngine(await kernelForTests());
});
afterAll(async () => {
  await base[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});

const operations = OPERATIONS_OF_EACH_KIND.map(([, operation]) => operation);

/** Every kind of operation in one machine, whose disk has these faults. */
async function perform(faults: { read?: number; write?: number }) {
  const reader = new FailingReader(base);
  const overlay = new OverlayBlockDevice(reader);
  const device = new FailingWrites(overlay);
  if (faults.read !== undefined) reader.reads.failFrom(faults.read);
  if (faults.write !== undefined) device.writes.failFrom(faults.write);
  // The kernel engine never asks the filesystem.
  const mount = { mountPoint: '/', kind: 'xfs', filesystem: new MemoryFilesystem(), device };
  const error = await engine.perform([mount], sequence(operations)).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  return {
    error,
    reads: reader.reads.calls,
    writes: device.writes.calls,
    dirtyBlocks: overlay.dirtyBlocks().length,
  };
}

it('leaves the overlay as it was whichever read or write fails', async () => {
  const whole = await perform({});
  expect(whole.error).toBeUndefined();
  expect(whole.dirtyBlocks).toBeGreaterThan(2);
  expect(whole.reads).toBeGreaterThan(5);
  const chosen = [0, 1 + (DAY % (whole.reads - 1)), whole.reads - 1];
  const reads = EVERY ? Array.from({ length: whole.reads }, (_, nth) => nth) : chosen;
  const faults = [
    ...reads.map((read) => ({ read })),
    ...Array.from({ length: whole.writes }, (_, write) => ({ write })),
  ];
  for (const fault of faults) {
    const { error, dirtyBlocks, reads: made } = await perform(fault);
    // The last reads may be those that bring together what is merged, or not be made in the same order.
    if (error === undefined && 'read' in fault) expect(made).toBeLessThanOrEqual(fault.read);
    else {
      expect({ fault, dirtyBlocks }).toEqual({ fault, dirtyBlocks: 0 });
      expect({ fault, isTheFault: isOnPurpose(error), error: String(error) }).toMatchObject({
        isTheFault: true,
      });
    }
  }
  if (EVERY) process.stdout.write(`    ${reads.length} reads and ${whole.writes} writes failed in turn\n`);
});
