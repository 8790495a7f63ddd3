import { execFile, spawn } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { makeGuest, type MakeGuestOptions } from '../../../kernel-engine/build/make-guest';
import { type PackagesLock, readLock, sha256, writeLock } from '../../../kernel-engine/build/package-lock';
import { kernelEngineDirectory } from '../../support/kernel-engine';

const run = promisify(execFile);
const SOURCES = join(__dirname, '../../../kernel-engine');

jest.setTimeout(180_000);

describe('the guest of the kernel engine', () => {
  let folder: string;
  let options: MakeGuestOptions;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'make-guest-'));
    const cache = join(await kernelEngineDirectory(), 'cache');
    options = {
      sources: SOURCES,
      output: join(folder, 'output'),
      cache,
      allowNewer: true,
      tell: () => undefined,
    };
  });
  afterAll(() => rm(folder, { recursive: true }));

  it('is the same bytes each time it is built', async () => {
    const first = JSON.parse(
      await readFile(join(await kernelEngineDirectory(), 'guest/build.json'), 'utf8'),
    ) as { digests: unknown; asRecorded: boolean };
    const second = await makeGuest(options);
    expect(second.digests).toEqual(first.digests);
    for (const name of ['vmlinux', 'initramfs']) {
      expect(sha256(await readFile(join(options.output, 'guest', name)))).toBe(second.digests[name]);
    }
    if (second.asRecorded) expect(second.digests).toMatchObject((await readLock(SOURCES)).digests);
  });

  it('is an archive that cpio reads', async () => {
    const list = spawn('cpio', ['--list', '--quiet'], { stdio: ['pipe', 'pipe', 'inherit'] });
    // It reads up to the end of the first archive; the kernel goes on with the second, which is our own programs.
    list.stdin.on('error', () => undefined);
    list.stdin.end(await readFile(join(options.output, 'guest/initramfs')));
    let names = '';
    for await (const chunk of list.stdout) names += String(chunk);
    expect(names.split('\n')).toEqual(
      expect.arrayContaining(['dev/console', 'modules/xfs.ko', 'usr/bin/python3.13', 'usr/sbin/xfs_repair']),
    );
  });

  it('brings every library that its programs need', async () => {
    const root = join(folder, 'root');
    await mkdir(root);
    await run('sh', [
      '-c',
      'cd "$1" && cpio --extract --make-directories --quiet --nonmatching "dev/*" <"$0"',
      join(options.output, 'guest/initramfs'),
      root,
    ]);
    for (const program of ['usr/bin/python3.13', 'usr/sbin/e2fsck', 'usr/sbin/xfs_repair', 'usr/bin/btrfs']) {
      const { stdout } = await run(join(root, 'usr/lib64/ld-linux-x86-64.so.2'), [
        '--library-path',
        join(root, 'usr/lib/x86_64-linux-gnu'),
        '--list',
        join(root, program),
      ]);
      expect([program, stdout.split('\n').filter((line) => /not found/.test(line))]).toEqual([program, []]);
    }
  });

  describe('with another lock file', () => {
    let sources: string;
    let lock: PackagesLock;

    beforeAll(async () => {
      sources = join(folder, 'sources');
      await cp(SOURCES, sources, { recursive: true });
      lock = await readLock(SOURCES);
    });

    const built = (): Promise<unknown> =>
      makeGuest({ ...options, sources, allowNewer: false }).catch((error: unknown) => error);

    it('is refused when what comes out is not what was recorded', async () => {
      await writeLock(sources, { ...lock, digests: { ...lock.digests, system: '0'.repeat(64) } });
      expect(await built()).toMatchObject({
        name: 'BuildError',
        message: expect.stringMatching(/system is not what was recorded/) as string,
      });
    });

    it('is refused when the archive has a package no more, and says how to go on', async () => {
      const gone = { ...lock.packages[0]!, version: '0-no-such-version', sha256: '0'.repeat(64) };
      await writeLock(sources, { ...lock, packages: [gone, ...lock.packages.slice(1)] });
      expect(await built()).toMatchObject({
        name: 'BuildError',
        message: expect.stringMatching(/0-no-such-version no more/) as string,
        nextStep: 'Pin what it has now: npm run kernel-engine -- --update-lock',
      });
    });

    it('is not made of a package whose bytes were changed', async () => {
      const [wanted] = lock.packages;
      const cache = join(folder, 'cache');
      await mkdir(join(cache, 'packages'), { recursive: true });
      const kept = join(cache, 'packages', `${wanted!.name}_${wanted!.sha256.slice(0, 16)}.deb`);
      await writeFile(kept, 'not the package');
      await writeLock(sources, { ...lock, packages: [wanted!], digests: {} });
      await makeGuest({ ...options, sources, cache }).catch(() => undefined);
      const bytes = await readFile(kept);
      expect(sha256(bytes)).toBe(wanted!.sha256);
    });
  });
});
