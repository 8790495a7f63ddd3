import { createHash } from 'node:crypto';
import { access, mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { runProgram } from './run-program';

/** A set of packages that some machines of the fleet have. */
export interface PackageSet {
  readonly name: string;
  readonly packages: readonly string[];
  /** Of what every machine has: these do not. */
  readonly without?: readonly string[];
  /** Shell lines run as root in the tree when all is installed. */
  readonly prepare?: readonly string[];
  /** Makes another system of the tree, on the disks, before it boots for the first time. */
  readonly becomes?: (root: string) => Promise<void>;
}

const MIRROR = 'http://deb.debian.org/debian';
/** What every machine has: systemd, SSH, a file capability (ping), Python, TLS, the rules of udev for logical volumes. */
const EVERY_MACHINE = [
  'systemd',
  'systemd-sysv',
  'dbus',
  'udev',
  'dmsetup',
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
  const packages = [...EVERY_MACHINE.filter((name) => !set.without?.includes(name)), ...set.packages];
  const recipe = JSON.stringify({ version: 4, packages, repacked: REPACKED, prepare: set.prepare });
  const key = `${set.name}-${createHash('sha256').update(recipe).digest('hex').slice(0, 12)}`;
  const folder = path.join(cacheFolder, key);
  const tree: BaseTree = { tarFile: path.join(folder, 'tree.tar'), poolFolder: path.join(folder, 'pool') };
  if (await exists(tree.tarFile)) return tree;

  await mkdir(cacheFolder, { recursive: true });
  const work = await mkdtemp(path.join(cacheFolder, `${key}-`));
  const pool = path.join(work, 'pool');
  await mkdir(pool);
  const banner = '/var/tmp/fleet-banner.deb';
  const prepare = path.join(work, 'prepare.sh');
  await writeFile(prepare, ['set -eu', ...(set.prepare ?? []), ''].join('\n'));
  await runProgram('mmdebstrap', [
    '--quiet',
    '--variant=minbase',
    `--include=${packages.join(',')}`,
    `--customize-hook=upload ${bannerPackage} ${banner}`,
    `--customize-hook=chroot "$1" sh -c 'dpkg -i ${banner} && rm ${banner} && mkdir /var/tmp/pool && cd /var/tmp/pool && apt-get download -qq ${REPACKED.join(' ')}'`,
    `--customize-hook=sync-out /var/tmp/pool ${pool}`,
    '--customize-hook=chroot "$1" rm -r /var/tmp/pool',
    `--customize-hook=upload ${prepare} /var/tmp/prepare.sh`,
    '--customize-hook=chroot "$1" sh -c "sh /var/tmp/prepare.sh && rm /var/tmp/prepare.sh"',
    'bookworm',
    path.join(work, 'tree.tar'),
    `deb ${MIRROR} bookworm main`,
  ]);
  await rename(work, folder).catch(async (error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
    // Another process was faster, and may be reading what it made, which is as good.
    await rm(work, { recursive: true });
  });
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
