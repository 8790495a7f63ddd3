import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { AttachedDisk } from '../../local/disks/disk-filesystems';

const MEMORY_MB = 1024;
/** QEMU 7.2 gives wrong flags after cmpxchg16b, on which kernels of today run into a double fault. */
const CPU = 'max,-cx16';

/** Two processors, no network, and disks whose changes are dropped. */
const EMULATED_MACHINE: readonly string[] = [
  ...['-machine', 'pc', '-accel', 'tcg,thread=multi', '-cpu', CPU, '-smp', '2', '-m', String(MEMORY_MB)],
  ...['-nodefaults', '-no-user-config', '-display', 'none', '-no-reboot', '-snapshot'],
];

export interface EmulatedBoot {
  readonly kernel: string;
  readonly initramfs: string;
  /** Beside what is said of the console. */
  readonly commandLine: string;
  /** The machine is stopped then. */
  readonly seconds: number;
}

/** What a machine wrote to its second serial port, by line, and all that stood on its console. */
export interface EmulatedReport {
  readonly report: string[];
  readonly console: string;
  readonly seconds: string;
}

/** Boots a machine in QEMU until it switches itself off. What it writes is dropped. */
export async function emulateMachine(
  { kernel, initramfs, commandLine, seconds: limit }: EmulatedBoot,
  disks: readonly AttachedDisk[],
): Promise<EmulatedReport> {
  const work = await mkdtemp(path.join(tmpdir(), 'oracle-machine-'));
  const [console, report] = [path.join(work, 'console'), path.join(work, 'report')];
  try {
    const started = performance.now();
    const child = spawn(
      'qemu-system-x86_64',
      [
        ...EMULATED_MACHINE,
        ...['-serial', `file:${console}`, '-serial', `file:${report}`],
        ...['-kernel', kernel, '-initrd', initramfs],
        ...['-append', `console=ttyS0 panic=-1 ${commandLine}`],
        ...disks.flatMap(({ file }) => ['-drive', `file=${file},format=raw,if=virtio,cache=unsafe`]),
      ],
      {
        stdio: ['ignore', 'ignore', 'pipe'],
        env: { PATH: process.env['PATH'], TMPDIR: work },
        timeout: limit * 1000,
        killSignal: 'SIGKILL',
      },
    );
    let said = '';
    child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
    await new Promise<void>((resolve, reject) => {
      child.once('error', reject);
      child.once('exit', () => resolve());
    });
    // A machine that never came up has written neither.
    const text = (file: string): Promise<string> => readFile(file, 'utf8').catch(() => '');
    // Nothing but the terminal's own line ends is taken off: states of packages end with a space.
    const lines = (await text(report)).split('\n').map((line) => line.replace(/\r$/, ''));
    return {
      report: lines.filter((line) => line !== ''),
      console: said + (await text(console)),
      seconds: ((performance.now() - started) / 1000).toFixed(0),
    };
  } finally {
    await rm(work, { recursive: true });
  }
}
