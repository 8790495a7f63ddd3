import type { DiskFilesystem } from '../../local/disks/disk-filesystems';
import { runOnLoop } from '../../local/disks/run-on-loop';

/** What a filesystem's own tool says of it, without changing it. */
export interface FilesystemCheck {
  readonly program: string;
  readonly clean: boolean;
  readonly output: string;
}

const CHECKS: Readonly<Record<string, string>> = {
  ext4: 'e2fsck -fn',
  xfs: 'xfs_repair -n',
  btrfs: 'btrfs check --readonly',
  vfat: 'fsck.vfat -n',
};

/** Has the tools of Linux judge a filesystem of a volume file. */
export async function checkFilesystem(filesystem: DiskFilesystem): Promise<FilesystemCheck> {
  const program = CHECKS[filesystem.kind];
  if (program === undefined) throw new Error(`No tool is known that checks ${filesystem.kind}.`);
  const script = `status=0; ${program} "$device" 2>&1 || status=$?; printf '\\0%d' "$status"`;
  const [output = '', status] = (await runOnLoop(filesystem, script)).split('\0');
  return { program, clean: status === '0', output };
}
