import { ensureRequirements, type Requirement } from '../../../local/fleet/requirements';
import ownTemporaryFolder from './temporary-folder';

/** What the tests need besides what the local fleet does. */
const JUDGES: readonly Requirement[] = [
  { program: 'debugfs', debianPackage: 'e2fsprogs', why: 'judges what is written to filesystems' },
  { program: 'sgdisk', debianPackage: 'gdisk', why: 'writes the partition tables of cloud images' },
  { program: 'setfattr', debianPackage: 'attr', why: 'gives files extended attributes' },
  {
    program: 'qemu-system-x86_64',
    debianPackage: 'qemu-system-x86',
    why: 'runs other kernels than the host',
  },
  { program: 'strace', debianPackage: 'strace', why: 'records updates where Python is missing' },
  { program: 'cpio', debianPackage: 'cpio', why: 'packs what those kernels start with' },
  { program: 'zstd', debianPackage: 'zstd', why: 'packs initramfs images' },
  { program: 'lz4', debianPackage: 'lz4', why: 'packs initramfs images' },
  { program: 'rpmbuild', debianPackage: 'rpm', why: 'builds packages, and judges databases of rpm' },
  { program: 'dnf', debianPackage: 'dnf', why: 'installs and updates those packages' },
  { program: 'createrepo_c', debianPackage: 'createrepo-c', why: 'indexes repositories for dnf' },
  { program: 'sqlite3', debianPackage: 'sqlite3', why: 'judges databases of rpm and dnf' },
  { program: 'nbdcopy', debianPackage: 'libnbd-bin', why: 'judges the NBD server' },
  { program: 'qemu-io', debianPackage: 'qemu-utils', why: 'judges the NBD server' },
  { program: 'parted', debianPackage: 'parted', why: 'writes partition tables, a second opinion' },
  { program: 'cryptsetup', debianPackage: 'cryptsetup-bin', why: 'makes what is to be refused by name' },
];

/** Before tests that need root and the tools of the host: installs what is missing, or says what it is. */
export default async function prepareMachine(): Promise<void> {
  await ensureRequirements((line) => process.stdout.write(`${line}\n`), JUDGES);
  ownTemporaryFolder();
}
