import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import { kernelOutcome, type FilesystemOperation, type Outcome } from './filesystem-operations';

/** What list-tree.py says of one entry; the first of a listing has `freeBytes` alone. */
export type KernelEntry = Readonly<Record<string, unknown>> & { readonly path: string };

/**
 * A filesystem image that stays mounted by the kernel of this machine, in a mount namespace of its own, so that thousands
 * of operations on it cost one mount. Needs root.
 */
export class KernelTwin implements AsyncDisposable {
  private readonly lines: AsyncIterator<string>;
  private complaints = '';
  private hasFailed = false;

  private constructor(
    private readonly process: ChildProcessWithoutNullStreams,
    answers: Interface,
  ) {
    this.lines = answers[Symbol.asyncIterator]();
    process.stderr.on('data', (bytes: Buffer) => (this.complaints += bytes.toString()));
    // A process that has ended answers no more: what it complained of is thrown then.
    process.stdin.on('error', () => undefined);
  }

  static mount(file: string, mountOptions = 'loop'): KernelTwin {
    const process = spawn('unshare', [
      ...['--mount', '--propagation', 'private', '--', '/usr/bin/python3'],
      ...[join(__dirname, 'kernel-twin.py'), file, mountOptions],
    ]);
    return new KernelTwin(process, createInterface({ input: process.stdout }));
  }

  async perform(operations: readonly FilesystemOperation[]): Promise<Outcome[]> {
    return ((await this.ask({ perform: operations })) as string[]).map(kernelOutcome);
  }

  /** Lists the twin, or for comparison another image, which is mounted for reading meanwhile. */
  async list(otherImage?: string): Promise<KernelEntry[]> {
    const entries = (await this.ask({ list: otherImage ?? true })) as KernelEntry[];
    return entries.filter(({ path }) => path !== undefined);
  }

  /** Unmounts. */
  async [Symbol.asyncDispose](): Promise<void> {
    const ended = this.process.exitCode === null ? once(this.process, 'close') : undefined;
    this.process.stdin.end();
    await ended;
    if (this.process.exitCode !== 0 && !this.hasFailed)
      throw new Error(`the kernel's twin failed: ${this.complaints}`);
  }

  private async ask(request: object): Promise<unknown> {
    this.process.stdin.write(`${JSON.stringify(request)}\n`);
    const { value, done } = await this.lines.next();
    if (done === true) {
      this.hasFailed = true;
      throw new Error(`the kernel's twin failed: ${this.complaints}`);
    }
    return JSON.parse(value as string);
  }
}
