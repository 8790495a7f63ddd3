import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, rmdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { filesystemsOf, type AttachedDisk } from '../../local/disks/disk-filesystems';
import { mountMachine, unmountMachine, type MountedMachine } from '../../local/disks/mount-machine';
import { checkFilesystem, type FilesystemCheck } from './check-filesystem';
import { parseListing, type TreeEntry } from './compare-trees';

const run = promisify(execFile);

/** What tools that are not ours say of the volumes of one machine. */
export interface MachineJudgement {
  readonly checks: readonly FilesystemCheck[];
  readonly dpkgAudit: string;
  readonly debsums: string;
  readonly packages: readonly string[];
  /** Where its fstab mounts filesystems. */
  readonly mountPoints: readonly string[];
  readonly tree: ReadonlyMap<string, TreeEntry>;
  /** Text of a record file in a form where the order of records does not matter; undefined when it is not one. */
  recordsOf(path: string): Promise<string | undefined>;
}

/** Record files whose records are separated by an empty line. */
const STANZAS =
  /^\/var\/lib\/dpkg\/status(-old)?$|^\/var\/lib\/apt\/extended_states$|^\/var\/cache\/debconf\/.*\.dat(-old)?$/;
/** Record files with a record a line. */
const LINES =
  /^\/etc\/(passwd|group|shadow|gshadow|subuid|subgid)-?$|^\/var\/lib\/dpkg\/statoverride(-old)?$/;
/** Three lines a record, in the order of dpkg's hash table. */
const DIVERSIONS = /^\/var\/lib\/dpkg\/diversions(-old)?$/;

/** Databases of rpm and dnf, with what list_rpm.sh calls what they hold. */
const DATABASES: ReadonlyMap<string, string> = new Map([
  ['/usr/lib/sysimage/rpm/rpmdb.sqlite', 'rpmdb'],
  ['/var/lib/dnf/history.sqlite', 'history'],
]);

/** Archives that two machines make of equal content, with times of their own. */
const INITRAMFS = /^\/boot\/initrd\.img-[^/]+$/;

/** Judges the volume files of a machine that is off; the process must see the mount that holds them. */
export async function judgeMachine(
  disks: readonly AttachedDisk[],
  outFolder: string,
): Promise<MachineJudgement> {
  await mkdir(outFolder, { recursive: true });
  const checks: FilesystemCheck[] = [];
  for (const filesystem of await filesystemsOf(disks)) checks.push(await checkFilesystem(filesystem));
  const mountPoints = await listMachine(disks, outFolder);
  const text = (name: string): Promise<string> => readFile(path.join(outFolder, name), 'utf8');
  return {
    checks,
    dpkgAudit: await text('dpkg-audit.txt'),
    debsums: await text('debsums.txt'),
    packages: (await text('packages.txt')).trim().split('\n'),
    mountPoints,
    tree: parseListing(await text('tree.jsonl')),
    async recordsOf(file) {
      if (INITRAMFS.test(file)) return text(path.join('initramfs', path.basename(file)));
      if (file === '/etc/ld.so.cache') return text('ldconfig.txt');
      const database = DATABASES.get(file);
      if (database !== undefined) return text(path.join('records', database));
      if (DIVERSIONS.test(file)) {
        const lines = await text(path.join('records', file));
        return (lines.match(/(.*\n){3}/g) ?? [lines]).sort().join('\n');
      }
      const separator = STANZAS.test(file) ? /\n\n+/ : LINES.test(file) ? /\n/ : undefined;
      if (separator === undefined) return undefined;
      return (await text(path.join('records', file))).trim().split(separator).sort().join('\n\n');
    },
  };
}

/** Mounted by the kernel as the machine's own fstab says, read-only. */
async function listMachine(disks: readonly AttachedDisk[], outFolder: string): Promise<string[]> {
  const root = await mkdtemp(path.join(tmpdir(), 'oracle-root-'));
  const copies = await mkdtemp(path.join(tmpdir(), 'oracle-fat-'));
  try {
    const mounted = await mountMachine(disks, root, 'ro');
    try {
      await showFat(mounted, root, copies);
      const script = path.join(__dirname, 'list_machine.sh');
      await run('bash', [script, root, outFolder, path.join(__dirname, 'list_tree.py')], {
        maxBuffer: 64 * 1024 * 1024,
      });
      return [...mounted.mounted, ...mounted.notMounted].map(({ mountPoint }) => mountPoint);
    } finally {
      await unmountMachine(root);
    }
  } finally {
    await rmdir(root);
    await rm(copies, { recursive: true });
  }
}

/** Where the host's kernel does not know FAT, mtools copies out what is on it. */
async function showFat({ notMounted }: MountedMachine, root: string, copies: string): Promise<void> {
  for (const [index, { kind, file, offsetBytes, mountPoint, why }] of notMounted.entries()) {
    if (kind !== 'vfat') throw new Error(`${mountPoint} could not be mounted: ${why}`);
    const copy = path.join(copies, String(index));
    await mkdir(copy);
    await run('mcopy', ['-s', '-m', '-i', `${file}@@${offsetBytes}`, '::*', copy]);
    await run('mount', ['--bind', copy, path.join(root, mountPoint)]);
  }
}
