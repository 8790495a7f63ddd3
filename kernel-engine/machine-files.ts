import { access, constants } from 'node:fs/promises';
import { join } from 'node:path';
import { KernelEngineMissingError } from './errors';

/** The files that a machine is made of. */
export interface MachineFiles {
  /** The emulator, and what stands before its other arguments. */
  readonly qemu: { readonly program: string; readonly args: readonly string[] };
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
  return { qemu: await findQemu(directory, qemu), kernel, initramfs };
}

/** That which was asked for, else that of the directory with its own libraries and firmware, else the host's. */
async function findQemu(directory: string, qemu: string | undefined): Promise<MachineFiles['qemu']> {
  if (qemu !== undefined) return { program: qemu, args: [] };
  const own = join(directory, 'qemu');
  const program = join(own, 'bin', PROGRAM);
  if (!(await exists(program, constants.R_OK))) return { program: await onPath(), args: [] };
  const libraries = join(own, 'lib');
  return {
    program: join(libraries, 'ld-linux-x86-64.so.2'),
    args: ['--library-path', libraries, program, '-L', join(own, 'share')],
  };
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
