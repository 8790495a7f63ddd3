import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ResolvedOperation } from '../../core/apply/apply-engine';
import { OverlayBlockDevice } from '../../core/block-device/overlay-block-device';
import type { Metadata } from '../../core/filesystem/filesystem';
import { KernelEngineError } from '../../kernel-engine';
import { cpioArchive } from '../../kernel-engine/build/cpio-archive';
import { FailingReader, FailingWrites, isOnPurpose } from '../support/failing-device';
import { FileBlockDevice } from '../support/file-block-device';
import { kernelEngineDirectory, kernelForTests } from '../support/kernel-engine';
import { ImageFolder, makeImage, onMountedImage } from '../support/mounted-image';

const ROOT = join(__dirname, '../..');

jest.setTimeout(120_000);

const metadata: Metadata = { mode: 0o644, uid: 0, gid: 0, mtimeNs: 0n, xattrs: new Map() };

async function* files(count: number, sizeBytes = 5000): AsyncIterable<ResolvedOperation> {
  for (let n = 0; n < count; n += 1) {
    yield { kind: 'put-file', path: `/new-${n}`, content: new Uint8Array(sizeBytes).fill(n), metadata };
  }
}

async function* one(operation: ResolvedOperation): AsyncIterable<ResolvedOperation> {
  yield operation;
}

describe('the kernel engine', () => {
  let folder: ImageFolder;
  let file: string;
  let device: FileBlockDevice;

  beforeAll(async () => {
    folder = await ImageFolder.make();
    file = folder.image('xfs');
    await makeImage(file, 320, ['mkfs.xfs', '-q', '-f']);
    await onMountedImage(file, 'mkdir "$MNT/full"; echo kept >"$MNT/full/file"; ln -s full "$MNT/link"');
    device = await FileBlockDevice.open(file);
    await kernelEngineDirectory();
  });
  afterAll(async () => {
    await device[Symbol.asyncDispose]();
    await folder[Symbol.asyncDispose]();
  });

  /** Performs on an overlay, and shows that nothing of it reached the overlay. */
  async function refused(
    operations: AsyncIterable<ResolvedOperation>,
    options: Parameters<typeof kernelForTests>[0] = {},
    base: ConstructorParameters<typeof OverlayBlockDevice>[0] = device,
  ): Promise<Error> {
    const kernel = await kernelForTests(options);
    const overlay = new OverlayBlockDevice(base);
    const error = await kernel
      .perform([{ mountPoint: '/', kind: 'xfs', device: overlay }], operations)
      .catch((thrown: Error) => thrown);
    expect(error).toBeInstanceOf(Error);
    expect(overlay.dirtyBlocks()).toEqual([]);
    return error as Error;
  }

  it.each<[string, ResolvedOperation]>([
    ['NotFoundError', { kind: 'remove', path: '/none' }],
    ['NotADirectoryError', { kind: 'put-file', path: '/link/file', content: new Uint8Array(), metadata }],
    ['DirectoryNotEmptyError', { kind: 'remove', path: '/full' }],
  ])('throws %s as the direct engine does, and leaves no trace', async (name, operation) => {
    const error = await refused(one(operation));
    expect(error).toMatchObject({ name: 'ApplyError', facts: { path: operation.path }, cause: { name } });
  });

  it('leaves no trace when the operations themselves end in an error', async () => {
    async function* broken(): AsyncIterable<ResolvedOperation> {
      yield* files(20);
      throw new RangeError('no more chunks');
    }
    const error = await refused(broken());
    expect(error).toMatchObject({ name: 'RangeError', message: 'no more chunks' });
  });

  it('tells the error of a device that cannot be read, whenever it happens', async () => {
    for (const nth of [0, 3, 12, 30]) {
      const failing = new FailingReader(device);
      failing.reads.failFrom(nth);
      const overlay = new OverlayBlockDevice(failing, { baseCacheBytes: 0 });
      const kernel = await kernelForTests();
      const attempt = await kernel
        .perform([{ mountPoint: '/', kind: 'xfs', device: overlay }], files(300))
        .catch((error: unknown) => error);
      expect([nth, failing.reads.haveStruck]).toEqual([nth, true]);
      expect(attempt).toBeInstanceOf(KernelEngineError);
      expect(isOnPurpose(attempt)).toBe(true);
      expect(overlay.dirtyBlocks()).toEqual([]);
    }
  });

  it('tells the error of a device that cannot be written', async () => {
    const failing = new FailingWrites(new OverlayBlockDevice(device));
    failing.writes.failFrom(0);
    const kernel = await kernelForTests();
    const attempt = kernel.perform([{ mountPoint: '/', kind: 'xfs', device: failing }], files(3));
    expect(isOnPurpose(await attempt.catch((error: unknown) => error))).toBe(true);
  });

  it('bounds what the machine may write', async () => {
    const error = await refused(files(40, 1 << 20), { maxWrittenBytes: 8 << 20 });
    expect(error).toBeInstanceOf(KernelEngineError);
    expect(error.message).toMatch(/writes more to its disks than/);
  });

  it('ends a machine whose time is over', async () => {
    const error = await refused(files(3), { timeoutMs: 50 });
    expect(error).toBeInstanceOf(KernelEngineError);
    expect(error.message).toMatch(/did not finish within 0.05 s/);
  });

  it('throws NoSpaceError of a full filesystem', async () => {
    const full = folder.image('ext4');
    await makeImage(full, 8, ['mkfs.ext4', '-q', '-F']);
    await using small = await FileBlockDevice.open(full);
    const overlay = new OverlayBlockDevice(small);
    const kernel = await kernelForTests();
    const attempt = kernel.perform([{ mountPoint: '/', kind: 'ext4', device: overlay }], files(3, 4 << 20));
    await expect(attempt).rejects.toMatchObject({
      name: 'ApplyError',
      facts: { path: '/new-1' },
      cause: { name: 'NoSpaceError' },
    });
    expect(overlay.dirtyBlocks()).toEqual([]);
  });

  it('shows what a kernel that panics printed', async () => {
    const directory = join(folder.path, 'without-agent');
    await mkdir(join(directory, 'guest'), { recursive: true });
    await symlink(join(await kernelEngineDirectory(), 'guest/vmlinux'), join(directory, 'guest/vmlinux'));
    await writeFile(join(directory, 'guest/initramfs'), cpioArchive([{ path: 'dev', kind: 'directory' }]));
    await writeFile(join(directory, 'guest/build.json'), '{}');
    const error = await refused(files(1), { directory, temporaryFolder: folder.path });
    expect(error).toBeInstanceOf(KernelEngineError);
    expect(error.message).toMatch(/Kernel panic - not syncing/);
  });

  it('says why a filesystem cannot be mounted', async () => {
    const kernel = await kernelForTests();
    const attempt = kernel.read([{ kind: 'btrfs', device }]);
    await expect(attempt).rejects.toMatchObject({
      name: 'KernelEngineError',
      message: expect.stringMatching(/btrfs cannot be mounted/) as string,
    });
    await expect(kernel.read([{ kind: 'zfs', device }])).rejects.toThrow(/zfs is not a filesystem/);
  });

  it('says what to install and to build', async () => {
    await expect(kernelForTests({ directory: folder.path })).rejects.toMatchObject({
      name: 'KernelEngineMissingError',
      nextStep: 'Build it: npm run kernel-engine',
    });
    await expect(kernelForTests({ qemu: '/no/such/program' })).rejects.toMatchObject({
      name: 'KernelEngineMissingError',
    });
  });

  it('leaves no machine behind when its process is killed', async () => {
    const directory = await kernelEngineDirectory();
    const script = join(folder.path, 'read-and-wait.ts');
    await writeFile(
      script,
      `
      import { EmulatedKernel } from ${JSON.stringify(join(ROOT, 'kernel-engine'))};
      import { FileBlockDevice } from ${JSON.stringify(join(ROOT, 'test/support/file-block-device'))};
      void (async () => {
        const directory = ${JSON.stringify(directory)};
        const kernel = await EmulatedKernel.open({ directory, temporaryFolder: ${JSON.stringify(folder.path)} });
        await kernel.read([{ kind: 'xfs', device: await FileBlockDevice.open(${JSON.stringify(file)}) }]);
        process.stdout.write('reading');
        setInterval(() => undefined, 1000);
      })();`,
    );
    const child = spawn(process.execPath, ['--require', 'tsx/cjs', script], {
      cwd: ROOT,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await Promise.race([once(child.stdout, 'data'), once(child, 'exit')]);
    expect((await machinesIn(folder.path)).length).toBeGreaterThan(0);
    child.kill('SIGKILL');
    for (let turn = 0; turn < 100 && (await machinesIn(folder.path)).length > 0; turn += 1) await sleep(100);
    expect(await machinesIn(folder.path)).toEqual([]);
  });
});

/** Processes whose arguments name this folder. */
async function machinesIn(folder: string): Promise<string[]> {
  const found: string[] = [];
  for (const pid of await readdir('/proc')) {
    if (!/^\d+$/.test(pid)) continue;
    const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    if (command.includes(`path=${folder}/machine-`)) found.push(command.slice(0, 100));
  }
  return found;
}
