import { createHash } from 'node:crypto';
import { access, mkdir, mkdtemp, rename, rm, rmdir, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { runProgram } from './run-program';

/** A set of packages that some machines of the fleet have. */
export interface PackageSet {
  readonly name: string;
  readonly packages: readonly string[];
}

const MIRROR = 'http://deb.debian.org/debian';
/** What every machine has: systemd, SSH, a file capability (ping), Python, TLS. */
const EVERY_MACHINE = [
  'systemd',
  'systemd-sysv',
  'dbus',
  'udev',
  'openssl',
  'ca-certificates',
  'iputils-ping',
  'python3',
  'openssh-server',
  'procps',
  'netbase',
  'adduser',
];
/** Repacked with a higher version when the distribution has nothing pending: a library, a program with a capability. */
const REPACKED = ['openssl', 'libssl3', 'iputils-ping'];

/** Where the root partition starts and how long the disk is: GPT, BIOS boot partition, then the root to the end. */
export const ROOT_OFFSET_BYTES = 4 * 1024 * 1024;
export const DISK_BYTES = 8 * 1024 * 1024 * 1024;
/** The backup partition table takes the last 33 sectors; the filesystem ends at a whole MiB before it. */
const ROOT_BYTES = DISK_BYTES - ROOT_OFFSET_BYTES - 1024 * 1024;

/** A tree of one package set, as a tar, with the package files that the on-the-spot repository repacks. */
export interface BaseTree {
  readonly tarFile: string;
  readonly poolFolder: string;
}

async function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}

/** Bootstraps Debian 12 at its last point release, without its security archive; kept in the cache by content of the recipe. */
export async function bootstrapTree(
  set: PackageSet,
  bannerPackage: string,
  cacheFolder: string,
): Promise<BaseTree> {
  const packages = [...EVERY_MACHINE, ...set.packages];
  const recipe = JSON.stringify({ version: 3, packages, repacked: REPACKED });
  const key = `${set.name}-${createHash('sha256').update(recipe).digest('hex').slice(0, 12)}`;
  const folder = path.join(cacheFolder, key);
  const tree: BaseTree = { tarFile: path.join(folder, 'tree.tar'), poolFolder: path.join(folder, 'pool') };
  if (await exists(tree.tarFile)) return tree;

  await mkdir(cacheFolder, { recursive: true });
  const work = await mkdtemp(path.join(cacheFolder, `${key}-`));
  const pool = path.join(work, 'pool');
  await mkdir(pool);
  const banner = '/var/tmp/fleet-banner.deb';
  await runProgram('mmdebstrap', [
    '--quiet',
    '--variant=minbase',
    `--include=${packages.join(',')}`,
    `--customize-hook=upload ${bannerPackage} ${banner}`,
    `--customize-hook=chroot "$1" sh -c 'dpkg -i ${banner} && rm ${banner} && mkdir /var/tmp/pool && cd /var/tmp/pool && apt-get download -qq ${REPACKED.join(' ')}'`,
    `--customize-hook=sync-out /var/tmp/pool ${pool}`,
    '--customize-hook=chroot "$1" rm -r /var/tmp/pool',
    'bookworm',
    path.join(work, 'tree.tar'),
    `deb ${MIRROR} bookworm main`,
  ]);
  await rm(folder, { recursive: true, force: true });
  await rename(work, folder);
  return tree;
}

/** What the machines' apt knows: the point release, the repository made on the spot and, unless left out, the security archive. */
export function aptSources(withSecurityArchive: boolean): string {
  return [
    `deb ${MIRROR} bookworm main`,
    ...(withSecurityArchive ? ['deb http://deb.debian.org/debian-security bookworm-security main'] : []),
    'deb [trusted=yes] http://repository.local fleet-security main',
    '',
  ].join('\n');
}

/**
 * Makes the disk of one package set: an 8 GiB sparse file, GPT, ext4 filled by the kernel.
 * Runs in the caller's mount namespace, which must be private.
 */
export async function makeBaseDisk(tree: BaseTree, sources: string, diskFile: string): Promise<void> {
  await writeFile(diskFile, '');
  await truncate(diskFile, DISK_BYTES);
  const sector = 512;
  await runProgram('sfdisk', ['--quiet', diskFile], {
    input: [
      'label: gpt',
      'start=2048, size=6144, type=21686148-6449-6E6F-744E-656564454649',
      `start=${ROOT_OFFSET_BYTES / sector}, size=${ROOT_BYTES / sector}, type=4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709, name=root`,
      '',
    ].join('\n'),
  });
  await runProgram('mkfs.ext4', [
    '-q',
    '-F',
    '-L',
    'root',
    '-E',
    `offset=${ROOT_OFFSET_BYTES}`,
    diskFile,
    `${ROOT_BYTES / 1024}k`,
  ]);
  await withRootMounted(diskFile, async (root) => {
    await runProgram('tar', [
      '-C',
      root,
      '--xattrs',
      '--xattrs-include=*',
      '--numeric-owner',
      '-xf',
      tree.tarFile,
    ]);
    await writeFile(path.join(root, 'etc/apt/sources.list'), sources);
    await writeFile(path.join(root, 'etc/fstab'), 'LABEL=root / ext4 defaults,errors=remount-ro 0 1\n');
    // The emulated agent gives commands a proxy; names of the mirrors are resolved there.
    await writeFile(path.join(root, 'etc/resolv.conf'), '');
  });
  await checkRootFilesystem(diskFile);
}

/** tune2fs gives a machine its own UUID only on a filesystem that was checked since it was mounted. */
export async function checkRootFilesystem(diskFile: string): Promise<void> {
  await runProgram('e2fsck', ['-f', '-p', `${diskFile}?offset=${ROOT_OFFSET_BYTES}`]);
}

/** Mounts the root filesystem of a disk for as long as `use` runs. */
export async function withRootMounted<T>(diskFile: string, use: (root: string) => Promise<T>): Promise<T> {
  const root = await mkdtemp(path.join(tmpdir(), 'fleet-root-'));
  await runProgram('mount', [
    '-o',
    `loop,offset=${ROOT_OFFSET_BYTES},sizelimit=${ROOT_BYTES}`,
    diskFile,
    root,
  ]);
  try {
    return await use(root);
  } finally {
    await runProgram('umount', [root]);
    await rmdir(root);
  }
}
