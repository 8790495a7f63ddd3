import { mkdir, readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { mustRun, runProgram } from '../instances/run-program';
import { filesystemsOf, type AttachedDisk, type DiskFilesystem } from './disk-filesystems';
import { parseFstab } from './fstab';
import { ROOT_KINDS } from './partitions';
import type { DiskRange } from './run-on-loop';

/** Raised when a machine's disks cannot be mounted as its fstab says. */
export class UnmountableMachineError extends Error {
  override readonly name = 'UnmountableMachineError';
}

export interface MountedFilesystem extends DiskFilesystem {
  readonly mountPoint: string;
}

export interface MountedMachine {
  readonly mounted: readonly MountedFilesystem[];
  /** Filesystems with `nofail` that could not be mounted, and why: a host kernel may not know their kind. */
  readonly notMounted: readonly (MountedFilesystem & { readonly why: string })[];
}

/**
 * Mounts the disks of a machine on a folder as the machine's own fstab says. The root is the largest filesystem of the
 * first disk; of btrfs, the subvolume with an fstab. In the caller's mount namespace, which must be private.
 * @throws UnmountableMachineError
 */
export async function mountMachine(
  disks: readonly AttachedDisk[],
  folder: string,
  mode: 'ro' | 'rw' = 'rw',
): Promise<MountedMachine> {
  const filesystems = await filesystemsOf(disks);
  const root = rootOf(filesystems, disks);
  await mountFilesystem(root, folder, [mode]);
  try {
    return await mountByFstab(root, filesystems, folder, mode);
  } catch (error) {
    await unmountMachine(folder);
    throw error;
  }
}

export function rootOf(
  filesystems: readonly DiskFilesystem[],
  [rootDisk]: readonly AttachedDisk[],
): DiskFilesystem {
  const [largest] = filesystems
    .filter(({ file, kind }) => file === rootDisk?.file && ROOT_KINDS.includes(kind))
    .sort((a, b) => b.sizeBytes - a.sizeBytes);
  if (!largest)
    throw new UnmountableMachineError(
      `${rootDisk?.file} holds no ext4, XFS or btrfs filesystem to boot from.`,
    );
  return largest;
}

async function mountByFstab(
  root: DiskFilesystem,
  filesystems: readonly DiskFilesystem[],
  folder: string,
  mode: 'ro' | 'rw',
): Promise<MountedMachine> {
  if (root.kind === 'btrfs') await enterRootSubvolume(root, folder, mode);
  const entries = parseFstab(await readIfThere(path.join(folder, 'etc/fstab')));
  const mounted: MountedFilesystem[] = [{ ...root, mountPoint: '/' }];
  const notMounted: (MountedFilesystem & { why: string })[] = [];
  for (const { source, mountPoint, options } of entries.filter((entry) => entry.mountPoint !== '/')) {
    const filesystem = filesystems.find(({ names }) => names.some((name) => sameName(name, source)));
    const optional = options.includes('nofail');
    if (!filesystem) {
      if (optional) continue;
      throw new UnmountableMachineError(
        `fstab mounts ${source} at ${mountPoint}, and none of the disks has it.`,
      );
    }
    const subvolume = options.filter((option) => option.startsWith('subvol='));
    try {
      await mountFilesystem(filesystem, path.join(folder, mountPoint), [mode, ...subvolume]);
      mounted.push({ ...filesystem, mountPoint });
    } catch (error) {
      if (!optional) throw error;
      notMounted.push({ ...filesystem, mountPoint, why: (error as Error).message });
    }
  }
  return { mounted, notMounted };
}

/** The boot loader names the root's subvolume (rootflags=subvol=...); here it is the one that has an fstab. */
async function enterRootSubvolume(root: DiskFilesystem, folder: string, mode: 'ro' | 'rw'): Promise<void> {
  if (await isThere(path.join(folder, 'etc/fstab'))) return;
  for (const name of await readdir(folder)) {
    if (!(await isThere(path.join(folder, name, 'etc/fstab')))) continue;
    await unmountMachine(folder);
    return mountFilesystem(root, folder, [mode, `subvol=${name}`]);
  }
}

/** Copies of a filesystem have its UUID: XFS mounts two of them at once with nouuid only. */
export async function mountFilesystem(
  { file, kind, offsetBytes, sizeBytes }: DiskRange & { readonly kind: string },
  folder: string,
  options: readonly string[],
): Promise<void> {
  await mkdir(folder, { recursive: true });
  const all = [
    ...['loop', `offset=${offsetBytes}`, `sizelimit=${sizeBytes}`],
    ...(kind === 'xfs' ? ['nouuid'] : []),
    ...options,
  ];
  await mustRun('mount', ['-t', kind, '-o', all.join(','), file, folder]);
}

/** Unmounts everything on the folder. The last process of a machine that was killed may still be going. */
export async function unmountMachine(folder: string): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    const { exitCode, stderr } = await runProgram('umount', ['--recursive', folder]);
    if (exitCode === 0) return;
    if (tries === 20) throw new UnmountableMachineError(`${folder} could not be unmounted: ${stderr.trim()}`);
    await sleep(250);
  }
}

/** UUIDs and serial numbers are written in either case. */
const sameName = (one: string, other: string): boolean =>
  one === other || (/^(UUID|PARTUUID)=/.test(one) && one.toLowerCase() === other.toLowerCase());

const isThere = (file: string): Promise<boolean> =>
  stat(file).then(
    () => true,
    () => false,
  );

async function readIfThere(file: string): Promise<string> {
  return readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw error;
  });
}
