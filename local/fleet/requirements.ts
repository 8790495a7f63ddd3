import { access, constants } from 'node:fs/promises';
import { runProgram } from './run-program';

/** A program that the host must have, and the Debian package that brings it. */
export interface Requirement {
  readonly program: string;
  readonly debianPackage: string;
  readonly why: string;
}

const PROGRAMS: readonly Requirement[] = [
  { program: 'mmdebstrap', debianPackage: 'mmdebstrap', why: 'builds the Debian images of the fleet' },
  { program: 'systemd-nspawn', debianPackage: 'systemd-container', why: 'boots the running instances' },
  { program: 'mkfs.ext4', debianPackage: 'e2fsprogs', why: 'makes and checks the filesystems' },
  {
    program: 'mkfs.xfs',
    debianPackage: 'xfsprogs',
    why: 'makes the storage whose reflinks are the snapshots',
  },
  { program: 'mkfs.btrfs', debianPackage: 'btrfs-progs', why: 'makes and checks the filesystems' },
  { program: 'mkfs.vfat', debianPackage: 'dosfstools', why: 'makes EFI system partitions' },
  { program: 'mcopy', debianPackage: 'mtools', why: 'reads and fills EFI system partitions' },
  { program: 'lvm', debianPackage: 'lvm2', why: 'makes logical volumes' },
  { program: 'blkid', debianPackage: 'util-linux', why: 'tells what fstab calls a filesystem' },
  { program: 'sfdisk', debianPackage: 'fdisk', why: 'writes the partition tables' },
  { program: 'mount', debianPackage: 'mount', why: 'mounts the volumes of running instances' },
  { program: 'unshare', debianPackage: 'util-linux', why: 'keeps every mount and process private' },
  { program: 'nsenter', debianPackage: 'util-linux', why: 'runs commands inside running instances' },
  {
    program: 'ssh-keygen',
    debianPackage: 'openssh-client',
    why: 'gives each machine SSH host keys of its own',
  },
  { program: 'dpkg-deb', debianPackage: 'dpkg', why: 'repacks packages for the repository made on the spot' },
  { program: 'apt-ftparchive', debianPackage: 'apt-utils', why: 'indexes the repository made on the spot' },
  { program: 'tar', debianPackage: 'tar', why: 'fills the filesystems' },
  { program: 'debsums', debianPackage: 'debsums', why: 'checks the files of patched machines' },
  { program: 'python3', debianPackage: 'python3', why: 'lists trees as the kernel shows them' },
];

/** The host cannot run the fleet; says exactly what is missing and the command that brings it. */
export class RequirementsError extends Error {
  override readonly name = 'RequirementsError';

  constructor(readonly missing: readonly string[]) {
    super(`This machine cannot run the local fleet yet:\n${missing.map((line) => `  - ${line}`).join('\n')}`);
  }
}

async function onPath(program: string): Promise<boolean> {
  for (const folder of ['/usr/sbin', '/usr/bin', '/sbin', '/bin', '/usr/local/bin']) {
    try {
      await access(`${folder}/${program}`, constants.X_OK);
      return true;
    } catch {
      // Not in this folder: the next one may have it.
    }
  }
  return false;
}

/**
 * Checks what the local fleet needs and, as root on a Debian or Ubuntu host, installs what is missing.
 *
 * @param more what the caller needs besides
 * @throws RequirementsError naming each missing thing
 */
export async function ensureRequirements(
  tell: (line: string) => void,
  more: readonly Requirement[] = [],
): Promise<void> {
  const missing: string[] = [];
  if (process.platform !== 'linux') missing.push('Linux: running instances are systemd-nspawn machines');
  if (process.getuid?.() !== 0)
    missing.push('root: mounts, namespaces and machines need it (run it with sudo)');
  if (missing.length > 0) throw new RequirementsError(missing);

  const absent: Requirement[] = [];
  for (const entry of [...PROGRAMS, ...more]) if (!(await onPath(entry.program))) absent.push(entry);
  if (absent.length === 0) return;
  const packages = [...new Set(absent.map((entry) => entry.debianPackage))];
  const command = `apt-get install -y ${packages.join(' ')}`;
  if (!(await onPath('apt-get'))) {
    throw new RequirementsError(
      absent
        .map((entry) => `${entry.program} (Debian package ${entry.debianPackage}): ${entry.why}`)
        .concat(`install with: ${command}`),
    );
  }
  tell(`installing ${packages.join(', ')}`);
  await runProgram('apt-get', ['update', '-qq']);
  await runProgram('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...packages]);
}
