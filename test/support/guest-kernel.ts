import { execFile } from 'node:child_process';
import {
  access,
  appendFile,
  copyFile,
  mkdir,
  mkdtemp,
  readFile,
  rename,
  rm,
  truncate,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const CACHE = join(__dirname, '../../.imageelves/test-cache');
const ROOT_VERSION = 'debian-13-guest-1';
const PACKAGES = ['busybox-static', 'python3.13-minimal', 'libpython3.13-stdlib', 'linux-image-cloud-amd64'];
const MODULES = ['drivers/block/virtio_blk', 'lib/libcrc32c', 'fs/xfs/xfs'];
const MAX_OUTPUT_BYTES = 64 * 1024 * 1024;
const TIMEOUT_MS = 300_000;
const BOOT_ATTEMPTS = 4;

interface Guest {
  readonly kernel: string;
  readonly initramfs: string;
}

let made: Promise<Guest> | undefined;

/**
 * As `onMountedImage`, by the kernel of Debian 13 in an emulated machine: a judge for what this host's kernel was not built
 * with, such as XFS of version 4. It has nothing of kernel-engine/. Costs about 6 s; made once, in about 30 s.
 * @returns what the script prints
 */
export async function onImageInGuest(
  file: string,
  script: string,
  {
    kind = 'xfs',
    mountOptions = 'rw',
    unmount = true,
  }: { kind?: string; mountOptions?: string; unmount?: boolean } = {},
): Promise<string> {
  made ??= makeGuest();
  const guest = await made;
  const folder = await mkdtemp(join(tmpdir(), 'guest-'));
  try {
    const initramfs = join(folder, 'initramfs');
    const output = join(folder, 'output');
    await copyFile(guest.initramfs, initramfs);
    await appendFile(initramfs, await scripts(folder, script, { kind, mountOptions, unmount }));
    await writeFile(output, '');
    await truncate(output, MAX_OUTPUT_BYTES);
    const stdout = await boot([
      ...['-nodefaults', '-no-user-config', '-no-reboot', '-display', 'none', '-serial', 'stdio'],
      ...['-machine', 'pc', '-accel', 'tcg', '-cpu', 'Nehalem,-cx16', '-smp', '1', '-m', '768'],
      ...['-kernel', guest.kernel, '-initrd', initramfs],
      ...['-append', 'console=ttyS0 quiet panic=-1 oops=panic mitigations=off rdinit=/init'],
      ...['-drive', `file=${file},format=raw,if=virtio,cache=unsafe`],
      ...['-drive', `file=${output},format=raw,if=virtio,cache=unsafe`],
    ]);
    if (!stdout.includes('the script ended with 0')) throw new Error(`in the guest: ${stdout}`);
    const printed = await readFile(output);
    const end = printed.indexOf(0);
    return printed.subarray(0, end < 0 ? undefined : end).toString('utf8');
  } finally {
    await rm(folder, { recursive: true });
  }
}

/**
 * Runs the machine to its end. QEMU 7.2 of Debian 12 now and then has Linux 6.12 stumble over flags of its own making: what
 * fell before the script began is started again.
 */
async function boot(args: readonly string[]): Promise<string> {
  for (let attempt = 1; ; attempt++) {
    const { stdout } = await run('qemu-system-x86_64', args, {
      timeout: TIMEOUT_MS,
      maxBuffer: MAX_OUTPUT_BYTES,
    });
    if (attempt === BOOT_ATTEMPTS || stdout.includes('the script begins')) return stdout;
  }
}

/** An archive of the script and of this folder's Python programs, which the kernel unpacks after the first. */
async function scripts(
  folder: string,
  script: string,
  { kind, mountOptions, unmount }: { kind: string; mountOptions: string; unmount: boolean },
): Promise<Buffer> {
  const init = `#!/bin/sh
    /bin/busybox --install -s /bin
    mount -t devtmpfs dev /dev; mount -t proc proc /proc; mount -t sysfs sys /sys
    for module in /modules/*.ko; do insmod $module; done
    echo "the script begins"
    export MNT=/mnt SUPPORT=/support PYTHON=/usr/bin/python3.13
    mount -t ${kind} -o ${mountOptions} /dev/vda /mnt && sh -euc '. /script' > /dev/vdb; status=$?
    sync /dev/vdb
    ${unmount ? 'umount /mnt || status=99' : ''}
    echo "the script ended with $status"
    poweroff -f`;
  const extra = join(folder, 'extra');
  await mkdir(join(extra, 'support'), { recursive: true });
  await run('sh', ['-c', 'cp "$0"/*.py "$1/support"', __dirname, extra]);
  await writeFile(join(extra, 'init'), init, { mode: 0o755 });
  await writeFile(join(extra, 'script'), script);
  return archive(extra);
}

async function archive(folder: string): Promise<Buffer> {
  const { stdout } = await run('sh', ['-euc', 'cd "$0"; find . | cpio --quiet -o -H newc', folder], {
    encoding: 'buffer',
    maxBuffer: 512 * 1024 * 1024,
  });
  return stdout;
}

async function makeGuest(): Promise<Guest> {
  const root = join(CACHE, ROOT_VERSION);
  const guest = { kernel: join(root, 'vmlinuz'), initramfs: join(root, 'initramfs') };
  const exists = await access(root).then(
    () => true,
    () => false,
  );
  if (exists) return guest;
  await mkdir(CACHE, { recursive: true });
  const part = `${root}.${process.pid}`;
  await mkdir(part);
  try {
    await run('unshare', [
      ...['--mount', '--propagation', 'private', '--'],
      ...['mmdebstrap', '--quiet', '--variant=extract', `--include=${PACKAGES.join(',')}`],
      ...['trixie', `${part}/packages`, 'http://deb.debian.org/debian'],
    ]);
    await run('sh', ['-euc', GATHER, part, ...MODULES]);
    await writeFile(join(part, 'initramfs'), await archive(join(part, 'root')));
    await rm(join(part, 'packages'), { recursive: true });
    await rm(join(part, 'root'), { recursive: true });
    // Another worker may have been faster: what it made is as good.
    await rename(part, root).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
    });
  } finally {
    await rm(part, { recursive: true, force: true });
  }
  return guest;
}

/** Of the packages what the machine needs: the kernel, three modules, a shell, Python. */
const GATHER = `
  cd "$0/packages"; root="$0/root"; libraries=usr/lib/x86_64-linux-gnu
  mkdir -p "$root"/bin "$root"/usr/bin "$root"/$libraries "$root"/usr/lib64 "$root"/modules
  mkdir -p "$root"/dev "$root"/proc "$root"/sys "$root"/mnt "$root"/tmp
  cp boot/vmlinuz-* "$0/vmlinuz"
  cp usr/bin/busybox "$root"/bin/; ln -s busybox "$root"/bin/sh
  cp usr/bin/python3.13 "$root"/usr/bin/
  cp -r usr/lib/python3.13 "$root"/usr/lib/
  cp usr/lib64/ld-linux-x86-64.so.2 "$root"/usr/lib64/
  for library in libc libm libz libexpat libffi libbz2 liblzma; do cp $libraries/$library.so.* "$root"/$libraries/; done
  ln -s usr/lib "$root"/lib; ln -s usr/lib64 "$root"/lib64
  number=1
  for module in "$@"; do
    xz -dc usr/lib/modules/*/kernel/$module.ko.xz > "$root/modules/$number.ko"; number=$((number + 1))
  done`;
