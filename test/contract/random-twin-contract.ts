import { copyFile } from 'node:fs/promises';
import { DirectEngine } from '../../core/apply/direct-engine';
import { OverlayBlockDevice } from '../../core/block-device/overlay-block-device';
import { openExt4Writable } from '../../core/filesystem/ext4/write/open-ext4-writable';
import type { FilesystemWriter } from '../../core/filesystem/filesystem';
import { comparableEntries } from '../support/comparable-entries';
import { FileBlockDevice } from '../support/file-block-device';
import {
  type FilesystemOperation,
  performByEngine,
  performTogether,
  type Outcome,
} from '../support/filesystem-operations';
import { flushOverlay } from '../support/flush-overlay';
import { KernelTwin } from '../support/kernel-twin';
import { e2fsck, ImageFolder, makeImage } from '../support/mounted-image';
import { randomOperations } from '../support/random-operations';
import { mkfsCommand, VOLUME_MATRIX } from '../support/volume-matrix';

/** The writer is opened anew after so many checks: what it finds then is what it wrote, not what it remembers. */
const REOPEN_EVERY = 4;
const SIZE_MIB = 192;

/** Changes made in one transaction, by seed: as the engine does it, one at a time, and all at once. */
const TOGETHER = [16, 1, 100] as const;

/** A seed decides operations and volume, so that a number is all that is needed to see a failure again. */
export interface TwinCase {
  readonly seed: number;
  /** Of operations. */
  readonly count: number;
  /** How many operations lie between two looks at everything; what each answers is compared at once. */
  readonly checkEvery: number;
}

/** Random operations by the direct engine leave what the same by the kernel leave on a twin of the volume. */
export function randomTwinContract(wanted: readonly TwinCase[]): void {
  const volumes = Object.entries(VOLUME_MATRIX);
  const cases = wanted.map((one) => {
    const [name, options] = volumes[one.seed % volumes.length]!;
    return { ...one, name, options };
  });
  jest.setTimeout(60_000 + Math.max(...cases.map(({ count }) => count)) * 300);

  let folder: ImageFolder;
  beforeEach(async () => {
    folder = await ImageFolder.make();
  });
  afterEach(async () => folder[Symbol.asyncDispose]());

  it.each(cases)(
    'seed $seed: $count operations on a volume with $name leave what the kernel leaves',
    async ({ seed, count, checkEvery, options }) => {
      const ours = folder.image('ours');
      const theirs = folder.image('theirs');
      const kinds = { longAttributes: options.join().includes('ea_inode') };
      // The kernel begins, so that the engine has to go on with what the kernel has made.
      await makeImage(ours, SIZE_MIB, mkfsCommand(options));
      {
        await using before = KernelTwin.mount(ours);
        await before.perform(randomOperations(seed + 1_000_000, Math.min(count, 300), kinds));
      }
      await copyFile(ours, theirs);
      await using twin = KernelTwin.mount(theirs);
      await using volume = await DirectVolume.open(ours, TOGETHER[seed % TOGETHER.length]!);
      const both = async (operations: readonly FilesystemOperation[], first: number): Promise<void> => {
        const [outcomes, expected] = await Promise.all([
          volume.perform(operations),
          twin.perform(operations),
        ]);
        const answers = operations.map((operation, n) => ({
          step: first + n,
          operation,
          ours: outcomes[n],
          kernel: expected[n],
        }));
        expect(answers.filter((answer) => answer.ours !== answer.kernel)).toEqual([]);
        expect(await volume.settle()).toEqual([]);
        expect({ step: first, e2fsck: await e2fsck(ours) }).toEqual({ step: first, e2fsck: '' });
      };
      const operations = randomOperations(seed, count, kinds);
      for (let first = 0, checks = 0; first < operations.length; first += checkEvery) {
        await both(operations.slice(first, first + checkEvery), first);
        expect(comparableEntries(await twin.list(ours), { directoryTimes: false })).toEqual(
          comparableEntries(await twin.list(), { directoryTimes: false }),
        );
        checks += 1;
        if (checks % REOPEN_EVERY === 0) await volume.reopen();
      }
      await both(await settleDirectories(volume.writer), operations.length);
      expect(comparableEntries(await twin.list(ours))).toEqual(comparableEntries(await twin.list()));

      // And the kernel goes on with what the engine has made.
      const further = randomOperations(seed + 2_000_000, Math.min(count, 300), kinds);
      {
        await using after = KernelTwin.mount(ours);
        expect(await after.perform(further)).toEqual(await twin.perform(further));
      }
      expect(await e2fsck(ours)).toBe('');
    },
  );
}

interface OpenVolume {
  readonly base: FileBlockDevice;
  readonly overlay: OverlayBlockDevice;
  readonly writer: FilesystemWriter;
}

async function openVolume(file: string): Promise<OpenVolume> {
  const base = await FileBlockDevice.open(file);
  const overlay = new OverlayBlockDevice(base);
  return { base, overlay, writer: await openExt4Writable(overlay) };
}

/** The direct engine on an image file, whose changes reach the file at each `settle`. */
class DirectVolume implements AsyncDisposable {
  private constructor(
    private readonly file: string,
    private volume: OpenVolume,
    /** Changes of one transaction. */
    private readonly most: number,
  ) {}

  static async open(file: string, most: number): Promise<DirectVolume> {
    return new DirectVolume(file, await openVolume(file), most);
  }

  get writer(): FilesystemWriter {
    return this.volume.writer;
  }

  async perform(operations: readonly FilesystemOperation[]): Promise<Outcome[]> {
    const { writer } = this;
    if (this.most > 1) return performTogether(writer, operations, this.most);
    const mounts = [{ mountPoint: '/', kind: 'ext4', filesystem: writer, writer }];
    const outcomes: Outcome[] = [];
    for (const operation of operations) {
      outcomes.push(await performByEngine(new DirectEngine(), mounts, operation));
    }
    return outcomes;
  }

  /** The writer's own check, then the bytes into the file. @returns what the check finds */
  async settle(): Promise<readonly string[]> {
    const problems = await this.writer.check();
    await flushOverlay(this.volume.overlay, this.file);
    return problems;
  }

  async reopen(): Promise<void> {
    await this[Symbol.asyncDispose]();
    this.volume = await openVolume(this.file);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.volume.base[Symbol.asyncDispose]();
  }
}

/** Sets every directory's times, which the kernel's clock has touched on one side only. */
async function settleDirectories(filesystem: FilesystemWriter): Promise<FilesystemOperation[]> {
  const operations: FilesystemOperation[] = [];
  for await (const { path, stat } of filesystem.scan()) {
    if (stat.type !== 'directory' || path === '/lost+found') continue;
    operations.push({ operation: 'setTime', path, mtimeNs: '1600000000000000001' });
  }
  return operations;
}
