import { createHash } from 'node:crypto';
import { access, mkdir, readFile, rename, rm, truncate, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { ROOT_OFFSET_BYTES } from './rivals';
import { runProgram } from '../local/fleet/run-program';
import { copySparse, type Images } from './images';
import { type Benchmark, medianOf, type Samples } from './samples';
import type { ScanFigures } from './scan-once';

const MANY_FILES = 1_000_000;
const MANY_FILES_DISK_BYTES = 16 * 1024 ** 3;
const RUNS = 3;
/** What docs/architecture.md says that a scan of so many files takes at most. */
const STATED_MEMORY_MIB = 768;
const SCRIPT = path.join(__dirname, '../bench/many-files.py');
/** Bundled beside the benchmarks. */
const SCAN_ONCE = path.join(__dirname, '../.imageelves/bench/scan-once.cjs');

/** One filesystem that both scan. */
interface Subject {
  readonly name: string;
  readonly what: string;
  readonly kind: 'ext4' | 'xfs';
  readonly file: string;
  readonly offsetBytes: number;
}

/** Pairs of our scan and the kernel's, on a machine's root and on trees of a million files. */
export class ScanBenchmarks {
  private constructor(
    private readonly subjects: readonly Subject[],
    private readonly mountPoint: string,
  ) {}

  static async prepare(
    images: Images,
    folder: string,
    cacheFolder: string,
    tell: (line: string) => void,
  ): Promise<ScanBenchmarks> {
    const subjects: Subject[] = [
      {
        name: 'machine',
        what: "a machine's root, ext4",
        kind: 'ext4',
        file: images.member,
        offsetBytes: ROOT_OFFSET_BYTES,
      },
    ];
    for (const kind of ['ext4', 'xfs'] as const) {
      const file = path.join(folder, `many-files.${kind}.raw`);
      await copySparse(await manyFiles(kind, folder, cacheFolder, tell), file);
      subjects.push({
        name: `million-${kind}`,
        what: `1,000,000 files, ${kind}`,
        kind,
        file,
        offsetBytes: 0,
      });
    }
    const mountPoint = path.join(folder, 'scanned');
    await mkdir(mountPoint);
    return new ScanBenchmarks(subjects, mountPoint);
  }

  benchmarks(): Benchmark[] {
    return this.subjects.flatMap((subject) => [
      { name: `scan ${subject.name}`, what: subject.what, runs: RUNS, run: () => ourScan(subject) },
      {
        name: `find ${subject.name}`,
        what: subject.what,
        runs: RUNS,
        // Mounted anew: nothing of it is in the kernel's caches but the bytes of the image, which we have as well.
        prepare: () => this.mount(subject),
        run: async () => {
          await runProgram('sh', ['-c', `find "$1" -xdev -ls > /dev/null`, 'sh', this.mountPoint]);
          return {};
        },
        count: async () => (await runProgram('umount', [this.mountPoint]), {}),
      },
    ]);
  }

  table(measured: ReadonlyMap<string, Samples>): string {
    const lines = [
      '| filesystem | entries | our scan | entries/s | cold `find -ls` | entries/s | ratio | our memory |',
      '|---|---|---|---|---|---|---|---|',
    ];
    let peakMemoryMiB = 0;
    for (const { name, what } of this.subjects) {
      const ours = measured.get(`scan ${name}`);
      const find = measured.get(`find ${name}`);
      if (ours === undefined || find === undefined) continue;
      const entries = ours.counted.entries ?? 0;
      const [ourTime, findTime] = [medianOf(ours.milliseconds), medianOf(find.milliseconds)];
      const perSecond = (time: number): string => Math.round((entries / time) * 1000).toLocaleString('en');
      const cells = [
        what,
        entries.toLocaleString('en'),
        `${(ourTime / 1000).toFixed(2)} s`,
        perSecond(ourTime),
        `${(findTime / 1000).toFixed(2)} s`,
        perSecond(findTime),
        (ourTime / findTime).toFixed(2),
        `${(ours.counted.peakMemoryMiB ?? 0).toFixed(0)} MiB`,
      ];
      lines.push(`| ${cells.join(' | ')} |`);
      peakMemoryMiB = Math.max(peakMemoryMiB, ours.counted.peakMemoryMiB ?? 0);
    }
    const isWithin = peakMemoryMiB <= STATED_MEMORY_MIB;
    lines.push('', `The memory is ${isWithin ? 'within' : 'MORE THAN'} the stated ${STATED_MEMORY_MIB} MiB.`);
    return lines.join('\n');
  }

  private async mount({ kind, file, offsetBytes }: Subject): Promise<void> {
    const asItIs = kind === 'xfs' ? 'norecovery' : 'noload';
    await runProgram('mount', [
      '-o',
      `loop,ro,${asItIs},offset=${offsetBytes}`,
      '-t',
      kind,
      file,
      this.mountPoint,
    ]);
  }
}

async function ourScan({ kind, file, offsetBytes }: Subject): Promise<Record<string, number>> {
  const printed = await runProgram(process.execPath, [SCAN_ONCE, kind, file, String(offsetBytes)]);
  return { ...(JSON.parse(printed) as ScanFigures) };
}

/** A filesystem of a million files, filled by the kernel: made once and kept in the cache. */
async function manyFiles(
  kind: Subject['kind'],
  folder: string,
  cacheFolder: string,
  tell: (line: string) => void,
): Promise<string> {
  const recipe = `${MANY_FILES} ${MANY_FILES_DISK_BYTES} ${await readFile(SCRIPT, 'utf8')}`;
  const digest = createHash('sha256').update(recipe).digest('hex').slice(0, 12);
  const kept = path.join(cacheFolder, `many-files-${digest}.${kind}.raw`);
  const isThere = await access(kept).then(
    () => true,
    () => false,
  );
  if (isThere) return kept;

  tell(`making ${kind} of a million files (kept in the cache)`);
  await mkdir(cacheFolder, { recursive: true });
  const file = `${kept}.${process.pid}`;
  const mountPoint = path.join(folder, `filled-${kind}`);
  await mkdir(mountPoint);
  try {
    await writeFile(file, '');
    await truncate(file, MANY_FILES_DISK_BYTES);
    const make = kind === 'xfs' ? ['mkfs.xfs', '-q', '-f', file] : ['mkfs.ext4', '-q', '-F', file];
    await runProgram(make[0]!, make.slice(1));
    await runProgram('mount', ['-o', 'loop', file, mountPoint]);
    try {
      await runProgram('python3', [SCRIPT, mountPoint, String(MANY_FILES)]);
    } finally {
      await runProgram('umount', [mountPoint]);
    }
    await rename(file, kept);
  } finally {
    await rm(file, { force: true });
  }
  return kept;
}
