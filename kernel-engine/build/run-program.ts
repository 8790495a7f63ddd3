import { spawn } from 'node:child_process';
import { BuildError } from './build-error';

const MAX_OUTPUT_BYTES = 256 * 1024 * 1024;

/** Runs a program without a shell, in the plain C locale. @returns what it printed @throws BuildError */
export function runProgram(
  program: string,
  args: readonly string[],
  { cwd, input, nextStep }: { cwd?: string; input?: Uint8Array; nextStep?: string } = {},
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      cwd,
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...process.env, LC_ALL: 'C.UTF-8', DEBIAN_FRONTEND: 'noninteractive' },
    });
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    let bytes = 0;
    const keep = (list: Buffer[]) => (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > MAX_OUTPUT_BYTES) child.kill('SIGKILL');
      else list.push(chunk);
    };
    child.stdout.on('data', keep(out));
    child.stderr.on('data', keep(err));
    child.on('error', (cause) =>
      reject(new BuildError(`${program} could not be started`, nextStep ?? `Install ${program}.`, { cause })),
    );
    child.on('close', (code, signal) => {
      if (code === 0) return resolve(Buffer.concat(out));
      const said = Buffer.concat([...err, ...out])
        .toString()
        .trim()
        .slice(-2000);
      reject(new BuildError(`${program} ${args.join(' ')} ended with ${code ?? signal}: ${said}`, nextStep));
    });
    // A program that ends without reading its input is judged by its exit code alone.
    child.stdin.on('error', () => undefined);
    child.stdin.end(input);
  });
}
