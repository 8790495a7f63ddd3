import { execFile } from 'node:child_process';

/** A program of the host that ended badly, with what it printed last. */
export class ProgramFailedError extends Error {
  override readonly name = 'ProgramFailedError';

  constructor(
    readonly program: string,
    readonly args: readonly string[],
    readonly exitCode: number | string | undefined,
    readonly output: string,
    options?: ErrorOptions,
  ) {
    super(`${program} ${args.join(' ')} ended with ${exitCode}: ${output.trim().slice(-2000)}`, options);
  }
}

export interface ProgramOptions {
  readonly input?: string;
  readonly cwd?: string;
  readonly signal?: AbortSignal;
}

/**
 * Runs a program without a shell and returns what it printed on standard output.
 * The environment is the plain C locale, so that output can be parsed and maintainer scripts do not ask.
 *
 * @throws ProgramFailedError on a non-zero exit or when the program is not there
 */
export function runProgram(
  program: string,
  args: readonly string[],
  options: ProgramOptions = {},
): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = execFile(
      program,
      args,
      {
        cwd: options.cwd,
        signal: options.signal,
        maxBuffer: 256 * 1024 * 1024,
        env: {
          PATH: '/usr/sbin:/usr/bin:/sbin:/bin',
          LC_ALL: 'C.UTF-8',
          DEBIAN_FRONTEND: 'noninteractive',
          HOME: '/root',
        },
      },
      (error, stdout, stderr) => {
        if (error)
          reject(
            new ProgramFailedError(
              program,
              args,
              error.code ?? undefined,
              stderr || stdout || error.message,
              { cause: error },
            ),
          );
        else resolve(stdout);
      },
    );
    // A program that ends without reading its input is judged by its exit code alone.
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(options.input ?? '');
  });
}
