import { access, constants } from 'node:fs/promises';
import { join } from 'node:path';
import { KernelEngineMissingError } from './errors';

/** The files that a machine is made of. */
export interface MachineFiles {
  readonly qemu: string;
  /** Where QEMU finds its firmware, when it is not where it was built for. */
  readonly firmware?: string;
  readonly kernel: string;
  readonly initramfs: string;
}

const PROGRAM = 'qemu-system-x86_64';

/**
 * @param directory holds `guest/`, and `qemu/` where QEMU is brought along
 * @throws KernelEngineMissingError
 */
export async function findMachineFiles(directory: string, qemu?: string): Promise<MachineFiles> {
  const kernel = join(directory, 'guest/vmlinux');
  const initramfs = join(directory, 'guest/initramfs');
  for (const file of [kernel, initramfs]) {
    if (!(await exists(file, constants.R_OK))) {
      throw new KernelEngineMissingError(`there is no ${file}`, 'Build it: npm run kernel-engine');
    }
  }
  const own = join(directory, 'qemu', PROGRAM);
  const firmware = join(directory, 'qemu/firmware');
  if (qemu === undefined && (await exists(own, constants.X_OK))) {
    const hasFirmware = await exists(firmware, constants.R_OK);
    return { qemu: own, kernel, initramfs, ...(hasFirmware ? { firmware } : {}) };
  }
  return { qemu: qemu ?? (await onPath()), kernel, initramfs };
}

async function onPath(): Promise<string> {
  for (const folder of (process.env.PATH ?? '').split(':').concat('/usr/bin')) {
    const program = join(folder, PROGRAM);
    if (folder !== '' && (await exists(program, constants.X_OK))) return program;
  }
  throw new KernelEngineMissingError(
    `there is no ${PROGRAM}`,
    'Install it: apt-get install qemu-system-x86 (on Debian and Ubuntu)',
  );
}

function exists(path: string, mode: number): Promise<boolean> {
  return access(path, mode).then(
    () => true,
    () => false,
  );
}
