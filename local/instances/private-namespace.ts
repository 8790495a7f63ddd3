import { spawn, type ChildProcess } from 'node:child_process';
import { readFile } from 'node:fs/promises';

const INSIDE = 'IMAGEELVES_PRIVATE_NAMESPACE';
const FORWARDED = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Raised when mounts would be made where others can see them. */
export class PrivateNamespaceNeededError extends Error {
  override readonly name = 'PrivateNamespaceNeededError';
}

/** Whether this process was started by `inPrivateNamespace`. */
export const isInPrivateNamespace = (): boolean => process.env[INSIDE] === '1';

/** @throws PrivateNamespaceNeededError when this process shares its mounts with the host. */
export function requirePrivateNamespace(what: string): void {
  if (!isInPrivateNamespace())
    throw new PrivateNamespaceNeededError(
      `${what} needs mounts of its own: start the process by startInPrivateNamespace (Linux and root are needed).`,
    );
}

/**
 * Starts a program in mount and process namespaces of its own. Whatever it mounts, attaches or starts vanishes with it,
 * also when it, or the caller, is killed: the kernel ends the process namespace with its first process, and the mounts
 * and loop devices with the last one that sees them.
 */
export function startInPrivateNamespace(
  command: readonly string[],
  options: { env?: NodeJS.ProcessEnv; stdio?: 'inherit' | 'pipe' } = {},
): ChildProcess {
  const launcher = [
    ...['setpriv', '--pdeathsig', 'KILL', '--'],
    ...[
      'unshare',
      '--mount',
      '--pid',
      '--fork',
      '--kill-child',
      '--mount-proc',
      '--propagation',
      'private',
      '--',
    ],
    // The shell is the first process of the namespace: it reaps what is orphaned there.
    ...['sh', '-c', '"$@"; exit $?', 'sh'],
  ];
  const [file = 'setpriv', ...args] = [...launcher, ...command];
  return spawn(file, args, {
    env: { ...(options.env ?? process.env), [INSIDE]: '1' },
    stdio: options.stdio ?? 'inherit',
    // A group of its own, so that Ctrl-C reaches the program once, through sendSignal.
    detached: true,
  });
}

/** Sends a signal to the program itself, past its launchers. */
export async function sendSignal(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  let pid = child.pid;
  // setpriv becomes unshare; below it is the shell, and below the shell the program.
  for (let depth = 0; depth < 2 && pid !== undefined; depth += 1) pid = await firstChild(pid);
  if (pid !== undefined) process.kill(pid, signal);
}

async function firstChild(pid: number): Promise<number | undefined> {
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '');
  const [first] = children.split(' ');
  return first ? Number(first) : undefined;
}

/**
 * Runs this very program again in a private namespace and waits for it; undefined when it already is inside. Signals
 * are passed on. Call it first thing in a program that serves the cloud:
 * `const exitCode = await reexecInPrivateNamespace(); if (exitCode !== undefined) process.exit(exitCode);`
 */
export async function reexecInPrivateNamespace(): Promise<number | undefined> {
  if (isInPrivateNamespace()) return undefined;
  if (process.platform !== 'linux' || process.getuid?.() !== 0)
    throw new PrivateNamespaceNeededError(
      'The embedded cloud boots real machines, for which it needs Linux and root: run it as root (sudo).',
    );
  const child = startInPrivateNamespace([process.execPath, ...process.execArgv, ...process.argv.slice(1)]);
  const pass = (signal: NodeJS.Signals) => void sendSignal(child, signal);
  for (const signal of FORWARDED) process.on(signal, pass);
  try {
    return await new Promise<number>((resolve, reject) => {
      child.once('error', reject);
      child.once('exit', (code, signal) => resolve(code ?? (signal === null ? 1 : 128)));
    });
  } finally {
    for (const signal of FORWARDED) process.off(signal, pass);
  }
}
