import { copyFile, rm } from 'node:fs/promises';
import type { ApplyEngine, WritableMount } from '../../core/apply/apply-engine';
import type { ApplyError } from '../../core/apply/apply-errors';
import { PackMissingError } from '../../core/chunk-store/chunk-store-errors';
import { OverlayBlockDevice } from '../../core/block-device/overlay-block-device';
import { comparableEntries } from '../support/comparable-entries';
import { FileBlockDevice } from '../support/file-block-device';
import { flushOverlay } from '../support/flush-overlay';
import { type KernelEntry, KernelTwin } from '../support/kernel-twin';
import { ImageFolder, makeImage, onMountedImage } from '../support/mounted-image';
import { CONTRACT_GROUND, CONTRACT_OPERATIONS, CONTRACT_REFUSALS } from './engine-operations';
import { twinOperation } from './twin-operation';
import { sequence } from './operations';

/** An engine on one kind of filesystem. */
export interface EngineUnderTest {
  readonly engine: () => Promise<ApplyEngine>;
  readonly kind: string;
  readonly mkfs: readonly string[];
  readonly sizeMiB?: number;
  /** The filesystem of the device as the engine takes it. */
  readonly mount: (device: OverlayBlockDevice) => Promise<WritableMount>;
  /** The filesystem's own checker. @returns what it complains about */
  readonly check: (file: string) => Promise<string>;
  /** Whether to try a source of operations that breaks; that costs a machine as well. */
  readonly brokenSource?: boolean;
  /** Which refusals to try: each costs the kernel engine a machine. */
  readonly refusals?: (nth: number) => boolean;
}

/** The time of a directory that only grows cannot be set: it is of the moment when the kernel added a name. */
const hasTime = ({ path }: KernelEntry): boolean => path !== '/logs';

async function onTwin<T>(file: string, work: (twin: KernelTwin) => Promise<T>): Promise<T> {
  await using twin = KernelTwin.mount(file);
  return await work(twin);
}

/** What every ApplyEngine does, with the kernel of this machine as the judge. */
export function engineContract(under: EngineUnderTest): void {
  const { mkfs, sizeMiB = 48 } = under;
  let folder: ImageFolder;
  let before: string;
  let engine: ApplyEngine;

  beforeAll(async () => {
    folder = await ImageFolder.make();
    before = folder.image('before');
    await makeImage(before, sizeMiB, mkfs);
    await onMountedImage(before, CONTRACT_GROUND);
    engine = await under.engine();
  });
  afterAll(async () => folder[Symbol.asyncDispose]());

  /** What the engine does to a copy of the image, and what became of its overlay. */
  async function perform(operations: Parameters<ApplyEngine['perform']>[1], into?: string) {
    await using base = await FileBlockDevice.open(before);
    const overlay = new OverlayBlockDevice(base);
    const mount = await under.mount(overlay);
    const dirtyBefore = overlay.dirtyBlocks();
    const outcome = await engine.perform([mount], operations).then(
      (result) => ({ result, error: undefined }),
      (error: unknown) => ({ result: undefined, error }),
    );
    if (into !== undefined) {
      await copyFile(before, into);
      await flushOverlay(overlay, into);
    }
    return { ...outcome, isUntouched: String(overlay.dirtyBlocks()) === String(dirtyBefore) };
  }

  it('leaves what the kernel of this machine leaves, and a filesystem that its checker finds clean', async () => {
    const ours = folder.image('ours');
    const theirs = folder.image('theirs');
    const { result, error } = await perform(sequence(CONTRACT_OPERATIONS), ours);
    expect(error).toBeUndefined();
    expect(result).toEqual({
      operations: CONTRACT_OPERATIONS.filter(({ kind: what }) => what !== 'set-time').length,
      contentBytes: CONTRACT_OPERATIONS.reduce(
        (sum, operation) => sum + (operation.kind === 'put-file' ? operation.content.length : 0),
        0,
      ),
    });
    expect(await under.check(ours)).toBe('');
    await copyFile(before, theirs);
    // One after the other: btrfs does not mount two filesystems of one UUID at a time.
    const listed = await onTwin(ours, (twin) => twin.list());
    const expected = await onTwin(theirs, async (twin) => {
      const outcomes = await twin.perform(CONTRACT_OPERATIONS.map(twinOperation));
      expect(outcomes.filter((outcome) => outcome !== 'ok')).toEqual([]);
      return twin.list();
    });
    const withoutTimes = { directoryTimes: false };
    expect(comparableEntries(listed, withoutTimes)).toEqual(comparableEntries(expected, withoutTimes));
    expect(comparableEntries(listed.filter(hasTime))).toEqual(comparableEntries(expected.filter(hasTime)));
    await rm(ours);
  });

  if (under.brokenSource ?? true) {
    it('throws what the source of operations throws, and has written nothing then', async () => {
      async function* broken() {
        yield CONTRACT_OPERATIONS[0]!;
        throw new PackMissingError(`sha256:${'0'.repeat(64)}`);
      }
      const { error, isUntouched } = await perform(broken());
      expect(error).toBeInstanceOf(PackMissingError);
      if (engine.name === 'kernel') expect(isUntouched).toBe(true);
    });
  }

  const refusals = CONTRACT_REFUSALS.filter((_, nth) => under.refusals?.(nth) ?? true);
  it.each(
    refusals.map(([cause, operation]) => ({ cause, operation, kind: operation.kind, path: operation.path })),
  )('refuses $kind $path with $cause, and has changed nothing', async ({ cause, operation }) => {
    const { error, isUntouched } = await perform(sequence([operation]));
    const { name, facts, cause: found } = error as ApplyError;
    expect({ name, facts, cause: (found as Error).name }).toMatchObject({
      name: 'ApplyError',
      facts: { operation: operation.kind, path: operation.path },
      cause,
    });
    expect(isUntouched).toBe(true);
  });
}
