import { rmSync } from 'node:fs';
import { mkdir, mkdtemp, rm, statfs } from 'node:fs/promises';
import { freemem, tmpdir } from 'node:os';
import path from 'node:path';
import { runProgram } from '../../local/fleet/run-program';

/** What a fleet of 60 machines and their updates take. */
const ROOM_BYTES = 8 * 1024 ** 3;
const STORE_GIBIBYTES = 24;

/**
 * A folder on a filesystem of its own whose copies of images share their blocks, in memory where there is room. Needs a
 * private mount namespace, so that nothing of it is left when the process ends.
 */
export class ScratchStore implements AsyncDisposable {
  private constructor(
    private readonly folder: string,
    readonly path: string,
  ) {}

  static async make(): Promise<ScratchStore> {
    const room = await statfs('/dev/shm').then(
      ({ bavail, bsize }) => Math.min(bavail * bsize, freemem()),
      () => 0,
    );
    const folder = await mkdtemp(
      path.join(room > ROOM_BYTES ? '/dev/shm' : tmpdir(), 'imageelves-classify-'),
    );
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      process.once(signal, () => {
        rmSync(path.join(folder, 'disk'), { force: true });
        process.exit(1);
      });
    }
    const store = path.join(folder, 'store');
    const disk = path.join(folder, 'disk');
    await mkdir(store);
    await runProgram('truncate', ['-s', `${STORE_GIBIBYTES}G`, disk]);
    await runProgram('mkfs.xfs', ['-q', '-m', 'reflink=1', disk]);
    await runProgram('mount', ['-o', 'loop,discard', disk, store]);
    return new ScratchStore(folder, store);
  }

  file(name: string): string {
    return path.join(this.path, name);
  }

  /** Shares all blocks with the original. */
  async copy(from: string, to: string): Promise<void> {
    await runProgram('cp', ['--reflink=always', from, to]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await runProgram('umount', [this.path]);
    await rm(this.folder, { recursive: true });
  }
}
