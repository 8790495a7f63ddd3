import { copyFile } from 'node:fs/promises';
import type { ApplyEngine, ResolvedOperation } from '../../core/apply/apply-engine';
import { DirectEngine } from '../../core/apply/direct-engine';
import { KernelEngine } from '../../core/apply/kernel-engine';
import { OverlayBlockDevice } from '../../core/block-device/overlay-block-device';
import { openExt4 } from '../../core/filesystem/ext4/open-ext4';
import { openExt4Writable } from '../../core/filesystem/ext4/write/open-ext4-writable';
import { comparableEntries } from '../support/comparable-entries';
import { FileBlockDevice } from '../support/file-block-device';
import {
  type FilesystemOperation,
  performByEngine,
  resolvedOperation,
} from '../support/filesystem-operations';
import { flushOverlay } from '../support/flush-overlay';
import { kernelForTests } from '../support/kernel-engine';
import { KernelTwin } from '../support/kernel-twin';
import { e2fsck, ImageFolder, makeImage, onMountedImage } from '../support/mounted-image';
import { randomOperations } from '../support/random-operations';
import { mkfsCommand, VOLUME_MATRIX } from '../support/volume-matrix';
import { CONTRACT_GROUND, CONTRACT_OPERATIONS } from './engine-operations';
import { sequence } from './operations';

/**
 * The same operations on the same image by either engine. A seed decides operations and volume; more than the one of the
 * day are tried by ENGINE_SEEDS=1,2,3.
 */
const DAY = Math.floor(Date.now() / 86_400_000);
const SEEDS = (process.env['ENGINE_SEEDS'] ?? String(DAY)).split(',').map(Number);
const RANDOM_OPERATIONS = 600;
const VOLUMES = Object.entries(VOLUME_MATRIX);

jest.setTimeout(240_000);

let folder: ImageFolder;
beforeEach(async () => {
  folder = await ImageFolder.make();
});
afterEach(async () => folder[Symbol.asyncDispose]());

/** What of these the direct engine can do, one after the other. */
async function possible(
  file: string,
  operations: readonly FilesystemOperation[],
): Promise<ResolvedOperation[]> {
  await using base = await FileBlockDevice.open(file);
  const overlay = new OverlayBlockDevice(base);
  const writer = await openExt4Writable(overlay);
  const mounts = [{ mountPoint: '/', kind: 'ext4', filesystem: writer, writer }];
  const done: ResolvedOperation[] = [];
  for (const operation of operations) {
    const outcome = await performByEngine(new DirectEngine(), mounts, operation);
    if (outcome === 'ok') done.push(resolvedOperation(operation));
  }
  return done;
}

/** The operations by an engine on a copy of the image. */
async function patched(
  engine: ApplyEngine,
  before: string,
  operations: readonly ResolvedOperation[],
): Promise<string> {
  const file = folder.image(engine.name);
  await copyFile(before, file);
  await using base = await FileBlockDevice.open(before);
  const overlay = new OverlayBlockDevice(base);
  const writer = engine.name === 'direct' ? await openExt4Writable(overlay) : undefined;
  const filesystem = writer ?? (await openExt4(overlay));
  const mount = { mountPoint: '/', kind: 'ext4', filesystem, writer, device: overlay };
  await engine.perform([mount], sequence(operations));
  await flushOverlay(overlay, file);
  return file;
}

async function expectEqual(before: string, operations: readonly ResolvedOperation[]): Promise<void> {
  const direct = await patched(new DirectEngine(), before, operations);
  const kernel = await patched(new KernelEngine(await kernelForTests()), before, operations);
  expect(await e2fsck(direct)).toBe('');
  expect(await e2fsck(kernel)).toBe('');
  await using lister = KernelTwin.mount(before);
  expect(comparableEntries(await lister.list(direct))).toEqual(comparableEntries(await lister.list(kernel)));
}

it('both engines leave equal trees, the times of directories included: every kind of operation', async () => {
  const before = folder.image('before');
  await makeImage(before, 48, mkfsCommand([]));
  await onMountedImage(before, CONTRACT_GROUND);
  const untimed = CONTRACT_OPERATIONS.filter(({ kind }) => kind !== 'set-time');
  await expectEqual(before, untimed);
});

it.each(
  SEEDS.map((seed) => {
    const [name, options] = VOLUMES[seed % VOLUMES.length]!;
    return { seed, name, options };
  }),
)(
  'both engines leave equal trees: random operations of seed $seed on a volume with $name',
  async ({ seed, options }) => {
    const before = folder.image('before');
    await makeImage(before, 192, mkfsCommand(options));
    {
      await using twin = KernelTwin.mount(before);
      await twin.perform(randomOperations(seed + 1_000_000, 300));
    }
    const operations = await possible(before, randomOperations(seed, RANDOM_OPERATIONS));
    expect(operations.length).toBeGreaterThan(RANDOM_OPERATIONS / 4);
    await expectEqual(before, operations);
  },
);
