import { spawn } from 'node:child_process';

export interface ProgramResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly timedOut: boolean;
}

export interface ProgramOptions {
  readonly input?: string;
  /** Kill the program and what it started after this many milliseconds. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
  /** Output kept of each stream, in bytes; what is over is dropped. Default 8 MiB. */
  readonly outputLimitBytes?: number;
}

const SIGNAL_NUMBERS: Readonly<Record<string, number>> = { SIGKILL: 9, SIGTERM: 15, SIGINT: 2, SIGHUP: 1 };

/** Runs a program to its end, in a process group of its own so that a time-out ends all of it. */
export async function runProgram(
  file: string,
  args: readonly string[],
  { input, timeoutMs, signal, outputLimitBytes = 8 * 1024 * 1024 }: ProgramOptions = {},
): Promise<ProgramResult> {
  const child = spawn(file, args, { stdio: ['pipe', 'pipe', 'pipe'], detached: true });
  const stdout = collect(child.stdout, outputLimitBytes);
  const stderr = collect(child.stderr, outputLimitBytes);
  child.stdin.on('error', () => undefined);
  child.stdin.end(input ?? '');
  let timedOut = false;
  const kill = () => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  };
  const timer =
    timeoutMs === undefined
      ? undefined
      : setTimeout(() => {
          timedOut = true;
          kill();
        }, timeoutMs);
  signal?.addEventListener('abort', kill, { once: true });
  try {
    const exitCode = await new Promise<number>((resolve, reject) => {
      child.once('error', reject);
      // 'exit', not 'close': what the program left running may hold the pipes open for ever.
      child.once('exit', (code, killedBy) => resolve(code ?? 128 + (SIGNAL_NUMBERS[killedBy ?? ''] ?? 0)));
    });
    await Promise.race([Promise.all([stdout.ended, stderr.ended]), graceAfterExit()]);
    return { exitCode, stdout: stdout.text(), stderr: stderr.text(), timedOut };
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', kill);
    child.stdout.destroy();
    child.stderr.destroy();
  }
}

const graceAfterExit = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 500).unref());

/** @throws Error with the program's own words when it does not exit with 0. */
export async function mustRun(
  file: string,
  args: readonly string[],
  options?: ProgramOptions,
): Promise<string> {
  const { exitCode, stdout, stderr } = await runProgram(file, args, options);
  if (exitCode !== 0)
    throw new Error(`${file} ${args.join(' ')} exited with ${exitCode}: ${stderr.trim() || stdout.trim()}`);
  return stdout;
}

function collect(stream: NodeJS.ReadableStream, limitBytes: number) {
  const chunks: Buffer[] = [];
  let length = 0;
  stream.on('data', (chunk: Buffer) => {
    if (length < limitBytes) chunks.push(chunk.subarray(0, limitBytes - length));
    length += chunk.length;
  });
  const ended = new Promise<void>((resolve) => stream.once('end', resolve).once('close', resolve));
  return { ended, text: () => Buffer.concat(chunks).toString() };
}
