import { rmSync } from 'node:fs';
import { mkdir, mkdtemp, rm, statfs } from 'node:fs/promises';
import { freemem, loadavg, tmpdir } from 'node:os';
import path from 'node:path';
import { reexecInPrivateNamespace } from '../local/start';
import { copySparse, DOWNLOAD, inImage, makeImages, UPDATE_LISTS, UPGRADE } from './images';
import { applyTo, captureUpdate, matchMember, profileMember } from './our-steps';
import { differingBlocks, guestfishPuts, hasGuestfish, kernelPuts, tarOfSameFiles } from './rivals';
import { type Benchmark, measure, medianOf } from './samples';
import { machineLine, markdownTable } from './table';

const FAST_RUNS = 9;
const SLOW_RUNS = 3;
const CACHE_FOLDER = path.join(__dirname, '../.imageelves/cache');

const tell = (line: string): void => console.error(line);

/**
 * Measures one update on one volume of 8 GiB, done in several ways in one run, and prints a table in Markdown.
 * Started by run.ts, with the names of benchmarks or none for all.
 */
async function main(only: readonly string[]): Promise<void> {
  const folder = await imageFolder();
  try {
    const images = await makeImages(folder, CACHE_FOLDER, tell);
    tell('capturing the update');
    const update = await captureUpdate(images);
    const tar = await tarOfSameFiles(images.after, update.manifest, folder);
    const mountPoint = path.join(folder, 'mounted');
    await mkdir(mountPoint);
    const patched = path.join(folder, 'patched.raw');
    const freshCopy = (): Promise<void> => copySparse(images.member, patched);
    const blocksPut = async () => ({ blocksPut: await differingBlocks(images.member, patched) });

    const benchmarks: Benchmark[] = [
      {
        name: 'apply',
        what: 'our apply: open the image, check every entry, write, verify, check, put the changed blocks, sync',
        runs: FAST_RUNS,
        prepare: freshCopy,
        run: () => applyTo(patched, update),
        count: blocksPut,
      },
      {
        name: 'kernel',
        what: '(a) the kernel puts the very same files: loop mount, `tar -x`, umount, sync',
        runs: FAST_RUNS,
        prepare: freshCopy,
        run: async () => (await kernelPuts(patched, tar, mountPoint), {}),
        count: blocksPut,
      },
      {
        name: 'apt',
        what: '(b) `apt-get update` and `apt-get upgrade` in a chroot, downloads included',
        runs: SLOW_RUNS,
        prepare: freshCopy,
        run: async () => (await inImage(patched, `${UPDATE_LISTS}; ${UPGRADE}`), {}),
        count: blocksPut,
      },
      {
        name: 'apt-cached',
        what: '(b) `apt-get upgrade` alone, with the packages in the cache',
        runs: SLOW_RUNS,
        prepare: async () => {
          await freshCopy();
          await inImage(patched, `${UPDATE_LISTS}; ${DOWNLOAD}`);
        },
        run: async () => (await inImage(patched, UPGRADE), {}),
      },
      {
        name: 'guestfish',
        what: '(c) `guestfish tar-in` of the very same files, processor emulated',
        runs: SLOW_RUNS,
        prepare: freshCopy,
        run: async () => (await guestfishPuts(patched, tar), {}),
        count: blocksPut,
      },
      {
        name: 'profile',
        what: 'our profile of one machine',
        runs: FAST_RUNS,
        run: () => profileMember(images.member),
      },
      {
        name: 'match',
        what: 'our match of one machine with the manifest',
        runs: FAST_RUNS,
        run: () => matchMember(images.member, update),
      },
      {
        name: 'capture',
        what: 'our capture, packs stored (once for each class)',
        runs: SLOW_RUNS,
        run: async () => (await captureUpdate(images)).counts,
      },
    ];
    const chosen = await choose(benchmarks, only);
    const measured = await measure(chosen, tell);
    const { operations, times } = update.manifest;
    const contentBytes = operations.reduce(
      (sum, operation) => sum + (operation.kind === 'put-file' ? operation.sizeBytes : 0),
      0,
    );
    console.log(
      `\n${new Date().toISOString().slice(0, 10)}, ${machineLine()}, load ${loadavg()[0]?.toFixed(1)}.`,
    );
    console.log(
      `The update: ${operations.length} operations that put ${(contentBytes / 1e6).toFixed(1)} MB, and ${times.length} times of files that stay.\n`,
    );
    console.log(markdownTable(chosen, measured));
    const [ours, kernel] = [measured.get('apply'), measured.get('kernel')];
    if (ours !== undefined && kernel !== undefined) {
      const times = medianOf(ours.milliseconds) / medianOf(kernel.milliseconds);
      const blocks = (ours.counted.blocksPut ?? 0) / (kernel.counted.blocksPut ?? 0);
      console.log(
        `\nOur apply takes ${times.toFixed(1)} times as long as the kernel (the first run, before V8 has compiled it, ` +
          `${((ours.milliseconds[0] ?? 0) / medianOf(kernel.milliseconds)).toFixed(1)} times) and puts ` +
          `${blocks.toFixed(2)} times as many blocks of 512 KiB.`,
      );
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function choose(benchmarks: readonly Benchmark[], only: readonly string[]): Promise<Benchmark[]> {
  const names = benchmarks.map(({ name }) => name);
  const unknown = only.find((name) => !names.includes(name));
  if (unknown !== undefined) {
    throw new Error(`there is no benchmark ${unknown}: it may be ${names.join(', ')}`);
  }
  const wanted = benchmarks.filter(({ name }) => only.length === 0 || only.includes(name));
  if (!wanted.some(({ name }) => name === 'guestfish') || (await hasGuestfish())) return wanted;
  tell('guestfish is not installed (Debian package libguestfs-tools): it is left out');
  return wanted.filter(({ name }) => name !== 'guestfish');
}

/** What the images take, and the page cache of the loop mounts besides. */
const ROOM_BYTES = 6 * 1024 ** 3;

/** In memory where there is room for it: then file systems are measured, not a disk. Gone when the process is. */
async function imageFolder(): Promise<string> {
  const room = await statfs('/dev/shm').then(
    ({ bavail, bsize }) => Math.min(bavail * bsize, freemem()),
    () => 0,
  );
  const folder = await mkdtemp(path.join(room > ROOM_BYTES ? '/dev/shm' : tmpdir(), 'imageelves-bench-'));
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      rmSync(folder, { recursive: true, force: true });
      process.exit(1);
    });
  }
  return folder;
}

async function start(): Promise<void> {
  if (process.getuid?.() !== 0) throw new Error('the benchmarks mount images: run them as root');
  const exitCode = await reexecInPrivateNamespace();
  if (exitCode === undefined) await main(process.argv.slice(2));
  else process.exitCode = exitCode;
}

start().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
