import { spawn, type ChildProcess } from 'node:child_process';
import { open } from 'node:fs/promises';
import { ConsoleTail } from './console-tail';
import { KernelEngineMissingError } from './errors';

/**
 * Ends QEMU with this process, however that ends: standard input is a pipe from here, and is read to its end beside it.
 */
const GUARD = `
"$@" </dev/null & machine=$!
{ read -r _; kill -9 "$machine"; } <&3 >/dev/null 2>&1 & guard=$!
wait "$machine"; status=$?
kill -9 "$guard" 2>/dev/null
exit "$status"`;

/** Where QEMU finds the file that it was started with: no program, and no version of QEMU, is needed to open it. */
export const INPUT_DESCRIPTOR = 4;

export interface QemuExit {
  readonly status: string;
}

/** One running emulator. */
export class QemuProcess {
  readonly console = new ConsoleTail();
  /** Resolves when it has ended, for whatever reason. */
  readonly ended: Promise<QemuExit>;
  private readonly said = new ConsoleTail();

  private constructor(private readonly guard: ChildProcess) {
    guard.stdout?.on('data', (bytes: Buffer) => this.console.add(bytes));
    guard.stderr?.on('data', (bytes: Buffer) => this.said.add(bytes));
    // Its end is seen by `ended`; writing to it is never tried.
    guard.stdio[3]?.on('error', () => undefined);
    this.ended = new Promise((resolve) => {
      guard.on('error', (error) => resolve({ status: error.message }));
      guard.on('close', (code, signal) => resolve({ status: `exit ${code ?? signal}` }));
    });
  }

  /**
   * @param input a file for QEMU to read, as INPUT_DESCRIPTOR
   * @throws KernelEngineMissingError when there is no such program
   */
  static async start(program: string, args: readonly string[], input = '/dev/null'): Promise<QemuProcess> {
    const file = await open(input);
    try {
      const guard = spawn('/bin/sh', ['-c', GUARD, 'sh', program, ...args], {
        stdio: ['ignore', 'pipe', 'pipe', 'pipe', file.fd],
        env: { PATH: process.env.PATH, LC_ALL: 'C' },
      });
      await new Promise<void>((resolve, reject) => {
        guard.once('spawn', resolve);
        guard.once('error', (cause) =>
          reject(new KernelEngineMissingError('/bin/sh cannot be started', 'Check the system.', { cause })),
        );
      });
      return new QemuProcess(guard);
    } finally {
      await file.close();
    }
  }

  /** What QEMU itself complained about. */
  get complaint(): string {
    return this.said.toString();
  }

  /** At once, and without waiting for the guest. Resolves when it is gone. */
  async kill(): Promise<void> {
    this.guard.stdio[3]?.destroy();
    await this.ended;
  }
}
