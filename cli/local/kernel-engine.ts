import { spawn } from 'node:child_process';
import path from 'node:path';
import type { Requirement } from '../../local/fleet/requirements';
import { PROJECT_FOLDER } from './synthesize';

/** The kernel engine could not be built; what its build said is in the message. */
export class KernelEngineBuildError extends Error {
  override readonly name = 'KernelEngineBuildError';
}

/** What building the kernel engine on this host takes. */
export const KERNEL_ENGINE_PROGRAMS: readonly Requirement[] = [
  { program: 'xz', debianPackage: 'xz-utils', why: 'unpacks the kernel of the kernel engine' },
  { program: 'zstd', debianPackage: 'zstd', why: 'unpacks the kernel of the kernel engine' },
];

/**
 * Builds the kernel engine, guest and QEMU, by the very script that the container image of the functions is built by, and
 * returns its folder. What is there already is kept.
 * @throws KernelEngineBuildError
 */
export async function buildKernelEngine(tell: (line: string) => void): Promise<string> {
  tell('building the kernel engine: a Linux kernel, its tools and QEMU, of Debian packages');
  const script = path.join(PROJECT_FOLDER, 'kernel-engine', 'build', 'run.ts');
  // A local run may take a package that Debian has replaced since it was pinned; the build says so.
  const child = spawn(process.execPath, ['--import', 'tsx', script, '--qemu', '--allow-newer'], {
    cwd: PROJECT_FOLDER,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const exitCode = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', resolve);
  });
  if (exitCode !== 0) throw new KernelEngineBuildError(`the kernel engine was not built:\n${output.trim()}`);
  return path.join(PROJECT_FOLDER, 'dist', 'kernel-engine');
}
