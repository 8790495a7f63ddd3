import { execFile } from 'node:child_process';
import { access, mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const CACHE = join(__dirname, '../../.imageelves/test-cache');
const PACKAGES = ['xfsprogs', 'e2fsprogs', 'btrfs-progs', 'dosfstools'];

let unpacking: Promise<string> | undefined;

/**
 * The command, without arguments, that runs a program of Debian 13's xfsprogs, e2fsprogs, btrfs-progs or dosfstools on this
 * machine (`mkfs.xfs`, `xfs_db`, `xfs_repair`, `mke2fs`, `e2fsck`, `debugfs`...): for features that Debian 12's cannot
 * make or judge. The packages are unpacked once (about 10 s, needs the mirror), kept below .imageelves/, and run through
 * their own loader and libraries: no chroot, so paths of image files are the host's.
 */
export async function newerTool(program: string): Promise<readonly [command: string, ...args: string[]]> {
  unpacking ??= unpackTools();
  const root = await unpacking;
  return [
    join(root, 'usr/lib64/ld-linux-x86-64.so.2'),
    ...['--library-path', join(root, 'usr/lib/x86_64-linux-gnu')],
    join(root, 'usr/sbin', program),
  ];
}

/** What mke2fs reads in the place of the host's /etc/mke2fs.conf: for the environment variable MKE2FS_CONFIG. */
export async function newerMke2fsConfig(): Promise<string> {
  unpacking ??= unpackTools();
  return join(await unpacking, 'etc/mke2fs.conf');
}

async function unpackTools(): Promise<string> {
  const root = join(CACHE, 'debian-13-tools-1');
  const exists = await access(root).then(
    () => true,
    () => false,
  );
  if (exists) return root;
  await mkdir(CACHE, { recursive: true });
  const part = `${root}.${process.pid}`;
  try {
    await run('unshare', [
      ...['--mount', '--propagation', 'private', '--'],
      ...['mmdebstrap', '--quiet', '--variant=extract', `--include=${PACKAGES.join(',')}`],
      ...['trixie', part, 'http://deb.debian.org/debian'],
    ]);
    // Another worker may have been faster: what it unpacked is as good.
    await rename(part, root).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
    });
  } finally {
    await rm(part, { recursive: true, force: true });
  }
  return root;
}
