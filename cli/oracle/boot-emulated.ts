import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { filesystemsOf, type AttachedDisk } from '../../local/disks/disk-filesystems';
import { rootOf } from '../../local/disks/mount-machine';
import type { Requirement } from '../../local/fleet/requirements';
import { servicesOf } from './boot-instance';
import { emulateMachine } from './emulated-machine';

/** An emulated processor is slow; a machine that is not up by then is not coming up. */
const BOOT_SECONDS = 240;

const MAKE_KIT = path.join(__dirname, 'make_boot_kit.sh');

/** What the emulated machine needs of the host. */
export const EMULATOR: readonly Requirement[] = [
  {
    program: 'qemu-system-x86_64',
    debianPackage: 'qemu-system-x86',
    why: 'boots machines on logical volumes',
  },
  { program: 'cpio', debianPackage: 'cpio', why: 'packs the initramfs they boot with' },
  { program: 'zstd', debianPackage: 'zstd', why: 'unpacks the initramfs that machines make' },
  { program: 'modprobe', debianPackage: 'kmod', why: 'finds the kernel modules they boot with' },
];

/** What must be found in the machine. */
export interface ExpectedMachine {
  readonly packages: readonly string[];
  readonly mountPoints: readonly string[];
}

/** Whether a machine needs device-mapper to boot, which a container cannot be given. */
export async function isOnLogicalVolumes(disks: readonly AttachedDisk[]): Promise<boolean> {
  return (await filesystemsOf(disks)).some(({ names }) =>
    names.some((name) => name.startsWith('/dev/mapper/')),
  );
}

/**
 * Boots a machine in QEMU: Debian's stock kernel, an initramfs with lvm2 that activates the volume group, the machine's
 * own systemd up to multi-user.target. What it writes is dropped.
 * @returns what is wrong with it
 */
export async function bootEmulated(
  name: string,
  disks: readonly AttachedDisk[],
  expected: ExpectedMachine,
  { cacheFolder, tell }: { cacheFolder: string; tell: (line: string) => void },
): Promise<string[]> {
  tell(`booting ${name} from its patched volume in an emulated machine`);
  const kit = await bootKit(cacheFolder);
  const services = servicesOf(expected.packages);
  const filesystems = await filesystemsOf(disks);
  const root = rootOf(filesystems, disks).names.find((device) => device.startsWith('/dev/'));
  const commandLine = `root=${root} oracle.units=${services.join(',')}`;
  const { report, console, seconds } = await emulateMachine(
    { ...kit, commandLine, seconds: BOOT_SECONDS },
    disks,
  );
  if (report.at(-1) !== 'end')
    return [`it did not come up in ${seconds} s; its console ends:\n${console.slice(-3000)}`];
  tell(`${name} reached multi-user.target in ${seconds} s`);
  return problemsOf(report, services, expected);
}

function problemsOf(
  report: readonly string[],
  services: readonly string[],
  { packages, mountPoints }: ExpectedMachine,
): string[] {
  const told = (what: string): string[] =>
    report.filter((line) => line.startsWith(`${what} `)).map((line) => line.slice(what.length + 1));
  const problems = told('failed').map((unit) => `a unit failed: ${unit}`);
  for (const unit of ['multi-user.target', ...services])
    if (!told('unit').includes(`${unit} active`)) problems.push(`${unit} is not active`);
  const mounts = told('mount').map((line) => line.split(' '));
  for (const mountPoint of mountPoints)
    if (!mounts.some(([source, point]) => point === mountPoint && source?.startsWith('/dev/')))
      problems.push(`nothing is mounted at ${mountPoint}`);
  if (!mounts.some(([source, point]) => point === '/' && source?.startsWith('/dev/mapper/')))
    problems.push('the root is not mounted from a logical volume');
  if (told('package').join('\n').trim() !== packages.join('\n').trim())
    problems.push('package versions differ from the online updated twin');
  return problems;
}

interface BootKit {
  readonly kernel: string;
  readonly initramfs: string;
}

/** Made once of Debian packages, and kept for as long as its recipe is the same. */
async function bootKit(cacheFolder: string): Promise<BootKit> {
  const recipe = createHash('sha256');
  for (const file of [MAKE_KIT, path.join(__dirname, 'initramfs_init.sh')])
    recipe.update(await readFile(file));
  const folder = path.join(cacheFolder, `boot-kit-${recipe.digest('hex').slice(0, 12)}`);
  const kit = { kernel: path.join(folder, 'vmlinuz'), initramfs: path.join(folder, 'initramfs') };
  const isMade = await stat(kit.initramfs).then(
    () => true,
    () => false,
  );
  if (isMade) return kit;
  await mkdir(cacheFolder, { recursive: true });
  const making = await mkdtemp(path.join(cacheFolder, 'boot-kit-'));
  await promisify(execFile)('bash', [MAKE_KIT, making]);
  await rm(folder, { recursive: true, force: true });
  await rename(making, folder);
  return kit;
}
