import { rmSync } from 'node:fs';
import { mkdtemp, rm, statfs } from 'node:fs/promises';
import { freemem, loadavg, tmpdir } from 'node:os';
import path from 'node:path';
import { reexecInPrivateNamespace } from '../local/start';
import { makeImages } from './images';
import { captureUpdate, type CapturedUpdate } from './our-steps';
import { hasGuestfish } from './rivals';
import { type Benchmark, measure, medianOf, type Samples } from './samples';
import { ScanBenchmarks } from './scan-benchmarks';
import { machineLine, markdownTable } from './table';
import { updateBenchmarks } from './update-benchmarks';

const CACHE_FOLDER = path.join(__dirname, '../.imageelves/cache');

const tell = (line: string): void => console.error(line);

/** Of the benchmarks of an update: how the engines that write compare, beside the scans. */
const FILESYSTEM = ['apply', 'direct', 'kernel', 'kernel-engine', 'guestfish'];

/**
 * Measures one update on one volume of 8 GiB, done in several ways in one run, and scans of filesystems; prints tables in
 * Markdown. Started by run.ts, with the names of benchmarks, `filesystem`, or none for all.
 */
async function main(only: readonly string[]): Promise<void> {
  const folder = await imageFolder();
  try {
    const images = await makeImages(folder, CACHE_FOLDER, tell);
    tell('capturing the update');
    const update = await captureUpdate(images);
    const updates = await updateBenchmarks(images, update, folder, tell);
    const names = only.flatMap((name) => (name === 'filesystem' ? [...FILESYSTEM, 'scan'] : [name]));
    const chosen = await choose(updates, names);
    const scans =
      names.length === 0 || names.includes('scan')
        ? await ScanBenchmarks.prepare(images, folder, CACHE_FOLDER, tell)
        : undefined;
    const measured = await measure([...chosen, ...(scans?.benchmarks() ?? [])], tell);
    console.log(
      `\n${new Date().toISOString().slice(0, 10)}, ${machineLine()}, load ${loadavg()[0]?.toFixed(1)}.\n`,
    );
    if (scans !== undefined) console.log(`${scans.table(measured)}\n`);
    if (chosen.length > 0) printUpdates(chosen, measured, update);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function printUpdates(
  chosen: readonly Benchmark[],
  measured: ReadonlyMap<string, Samples>,
  { manifest: { operations, times } }: CapturedUpdate,
): void {
  const contentBytes = operations.reduce(
    (sum, operation) => sum + (operation.kind === 'put-file' ? operation.sizeBytes : 0),
    0,
  );
  console.log(
    `The update: ${operations.length} operations that put ${(contentBytes / 1e6).toFixed(1)} MB, and ${times.length} times of files that stay.\n`,
  );
  console.log(markdownTable(chosen, measured, { name: 'kernel', called: 'the kernel (a)' }));
  const kernel = measured.get('kernel');
  for (const name of ['direct', 'apply']) {
    const ours = measured.get(name);
    if (ours === undefined || kernel === undefined) continue;
    const times = medianOf(ours.milliseconds) / medianOf(kernel.milliseconds);
    const first = (ours.milliseconds[0] ?? 0) / medianOf(kernel.milliseconds);
    const blocks = (ours.counted.blocksPut ?? 0) / (kernel.counted.blocksPut ?? 0);
    console.log(
      `\n\`${name}\` takes ${times.toFixed(1)} times as long as the kernel (the first run, before V8 has compiled it, ` +
        `${first.toFixed(1)} times) and puts ${blocks.toFixed(2)} times as many blocks of 512 KiB.`,
    );
  }
  const [bare, recorded] = [measured.get('apt-cached'), measured.get('apt-recorded')];
  if (bare !== undefined && recorded !== undefined) {
    const times = medianOf(recorded.milliseconds) / medianOf(bare.milliseconds);
    console.log(`\nThe recorder makes \`apt-get upgrade\` take ${times.toFixed(2)} times as long.`);
  }
  const [engine, guestfish] = [measured.get('kernel-engine'), measured.get('guestfish')];
  if (engine !== undefined && guestfish !== undefined) {
    const times = medianOf(engine.milliseconds) / medianOf(guestfish.milliseconds);
    console.log(`\n\`kernel-engine\` takes ${times.toFixed(2)} times as long as guestfish.`);
  }
}

async function choose(benchmarks: readonly Benchmark[], only: readonly string[]): Promise<Benchmark[]> {
  const names = [...benchmarks.map(({ name }) => name), 'scan'];
  const unknown = only.find((name) => !names.includes(name));
  if (unknown !== undefined) {
    throw new Error(`there is no benchmark ${unknown}: it may be filesystem, ${names.join(', ')}`);
  }
  const wanted = benchmarks.filter(({ name }) => only.length === 0 || only.includes(name));
  if (!wanted.some(({ name }) => name === 'guestfish') || (await hasGuestfish())) return wanted;
  tell(
    'guestfish does not run here (Debian packages libguestfs-tools and a kernel for its machine): it is left out',
  );
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
