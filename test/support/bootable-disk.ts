import { execFile } from 'node:child_process';
import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { debianTar, unpackTree } from './debian-tree';

const run = promisify(execFile);

export const ROOT_OFFSET_BYTES = 4 * 1024 * 1024;
const DISK_BYTES = 2 * 1024 ** 3;
/** The backup partition table and its neighbourhood are left alone. */
const ROOT_KIB = (DISK_BYTES - ROOT_OFFSET_BYTES - 1024 ** 2) / 1024;

/** A raw disk with a GPT and a small Debian 12 that boots: systemd, nginx, cron. The caller removes its folder. */
export async function bootableDisk(
  files: Readonly<Record<string, string>> = {},
): Promise<{ folder: string; rawFile: string }> {
  const tar = await debianTar({
    installed: ['systemd', 'systemd-sysv', 'dbus', 'procps', 'nginx-light', 'cron', 'python3'],
    available: ['hello'],
  });
  const folder = await mkdtemp(path.join(tmpdir(), 'imageelves-disk-'));
  const [tree, rawFile] = [path.join(folder, 'tree'), path.join(folder, 'disk.raw')];
  await unpackTree(tar, tree);
  await writeFile(path.join(tree, 'etc/hostname'), 'bootable\n');
  await writeFile(path.join(tree, 'etc/fstab'), '');
  for (const [name, text] of Object.entries(files)) await writeFile(path.join(tree, name), text);
  await writeFile(rawFile, '');
  await truncate(rawFile, DISK_BYTES);
  await run('sh', [
    '-euc',
    `printf 'label: gpt\\nstart=${ROOT_OFFSET_BYTES / 512}, type=4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709\\n' | sfdisk --quiet "$1"
     mkfs.ext4 -q -F -E offset=${ROOT_OFFSET_BYTES} -d "$2" "$1" ${ROOT_KIB}k`,
    'sh',
    rawFile,
    tree,
  ]);
  await rm(tree, { recursive: true });
  return { folder, rawFile };
}
