import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { access, constants, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { KernelEngineMissingError } from './errors';
import type { MachineFiles } from './machine-files';
import { qemuArguments } from './qemu-arguments';

const run = promisify(execFile);

/** Memory of a machine that nobody asks for more, in MiB: the one that there is a saved state of. */
export const DEFAULT_MEMORY_MB = 512;

/**
 * Where the state of a machine that has just started is kept, of exactly this emulator, guest and shape: starting from it
 * takes a tenth of the time.
 */
export async function savedStatePath(
  directory: string,
  files: MachineFiles,
  memoryMb: number,
): Promise<string> {
  const { program, args } = files.qemu;
  const { stdout } = await run(program, [...args, '--version']).catch((cause: unknown) => {
    throw new KernelEngineMissingError(
      `${program} does not run`,
      'Install it: apt-get install qemu-system-x86 (on Debian and Ubuntu)',
      { cause },
    );
  });
  const guest = await readFile(join(directory, 'guest/build.json'), 'utf8');
  const { digests } = JSON.parse(guest) as { digests: unknown };
  const shape = qemuArguments({ kernel: '', initramfs: '', folder: '', disks: [], memoryMb });
  const key = createHash('sha256').update(JSON.stringify([stdout, digests, shape]));
  return join(directory, 'state', `${key.digest('hex').slice(0, 32)}.state`);
}

/** The state, where one was saved. */
export async function findSavedState(
  directory: string,
  files: MachineFiles,
  memoryMb: number,
): Promise<string | undefined> {
  const path = await savedStatePath(directory, files, memoryMb);
  return access(path, constants.R_OK).then(
    () => path,
    () => undefined,
  );
}
