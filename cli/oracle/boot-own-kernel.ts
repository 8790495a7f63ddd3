import { copyFile, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { AttachedDisk } from '../../local/disks/disk-filesystems';
import { withRootMounted } from '../../local/fleet/with-root-mounted';
import { emulateMachine } from './emulated-machine';

/** An emulated processor is slow, and an initramfs of all modules is large. */
const BOOT_SECONDS = 400;
/** Where the boot menu of u-boot-menu(8) stands. */
const MENU = 'boot/extlinux/extlinux.conf';

/** Told on the second serial port once the machine is up; systemd-run-generator(8) makes a unit of it. */
const REPORT = 'uname -r; findmnt -no SOURCE,FSTYPE /; systemctl is-system-running; echo end';
const ASKED = [
  'systemd.wants=kernel-command-line.service systemd.unit=multi-user.target',
  `systemd.run="/bin/sh -c '(${REPORT}) > /dev/ttyS1'" systemd.run_success_action=poweroff-force`,
];

interface OwnKernel {
  readonly kernel: string;
  readonly initramfs: string;
  /** The kernel's command line in the menu. */
  readonly commandLine: string;
}

/**
 * Boots a machine in QEMU by its own boot menu: its kernel, its initramfs, its command line, on its volume. What it writes is
 * dropped.
 *
 * @returns what is wrong with it
 */
export async function bootOwnKernel(
  name: string,
  disks: readonly AttachedDisk[],
  tell: (line: string) => void,
): Promise<string[]> {
  tell(`booting ${name} with its own kernel and initramfs in an emulated machine`);
  const work = await mkdtemp(path.join(tmpdir(), 'oracle-kernel-'));
  try {
    const own = await ownKernel(disks, work);
    const commandLine = `${own.commandLine} ${ASKED.join(' ')}`;
    const { report, console, seconds } = await emulateMachine(
      { ...own, commandLine, seconds: BOOT_SECONDS },
      disks,
    );
    if (!report.includes('end'))
      return [`its own kernel did not come up in ${seconds} s; its console ends:\n${console.slice(-3000)}`];
    tell(`${name} came up with its own kernel in ${seconds} s: ${report.slice(0, 2).join(', ')}`);
    const root = report[1] ?? '';
    return root.startsWith('/dev/vda') ? [] : [`its own kernel mounted ${root} as its root`];
  } finally {
    await rm(work, { recursive: true });
  }
}

/** Copies out what the first entry of the menu names. */
async function ownKernel(disks: readonly AttachedDisk[], work: string): Promise<OwnKernel> {
  const [disk] = disks;
  if (disk === undefined || disks.length > 1) throw new Error('a machine with one disk is expected');
  return withRootMounted(disk.file, async (root) => {
    const menu = await readFile(path.join(root, MENU), 'utf8');
    const word = (key: string): string => {
      const found = new RegExp(`^\\s*${key}\\s+(.*)$`, 'm').exec(menu)?.[1];
      if (found === undefined) throw new Error(`the boot menu has no ${key}:\n${menu}`);
      return found.trim();
    };
    const copied = async (key: string): Promise<string> => {
      const file = path.join(work, key);
      await copyFile(path.join(root, word(key)), file);
      return file;
    };
    return { kernel: await copied('linux'), initramfs: await copied('initrd'), commandLine: word('append') };
  });
}
