import { join } from 'node:path';
import { INPUT_DESCRIPTOR } from './qemu-process';

/** A disk as QEMU is told of it. */
export interface DiskAccess {
  readonly access: 'read-write' | 'read-only';
}

/** PCI has room for no more beside the port. */
export const MAX_DISKS = 24;
/** Every machine has so many places for disks: one that is started from a saved state must look as it did then. */
export const DISK_PLACES = 4;

const KERNEL_PARAMETERS = [
  'console=ttyS0',
  'quiet',
  // What is not to be trusted is the disk: a kernel that stumbles over one stops at once.
  'oops=panic',
  'panic=-1',
  // There is nobody else in this machine to be protected from.
  'mitigations=off',
  'lsm=capability',
  'rdinit=/usr/bin/python3.13',
  // Python takes the rest: nothing of its environment, no site, no writing of compiled files.
  '--',
  '-I -S -E -B /agent/main.pyc',
].join(' ');

/** How the emulator is told to start: afresh, or where a saved state left off. */
export interface StartOptions {
  readonly kernel: string;
  readonly initramfs: string;
  readonly memoryMb: number;
  /** Folder with the sockets `disks` and `port`. */
  readonly folder: string;
  readonly disks: readonly DiskAccess[];
  /** A state that a machine of the same arguments was saved in is its input. */
  readonly incoming?: boolean;
}

export function diskName(index: number): string {
  return `disk${index}`;
}

/** Without root, KVM, a shared memory folder or a configuration of the host's. */
export function qemuArguments({
  kernel,
  initramfs,
  memoryMb,
  folder,
  disks,
  incoming,
}: StartOptions): string[] {
  const args = [
    ...['-nodefaults', '-no-user-config', '-no-reboot', '-display', 'none', '-serial', 'stdio'],
    // Translated code takes no more memory than this.
    ...['-machine', 'pc', '-accel', 'tcg,thread=multi,tb-size=64'],
    // A kernel that finds cmpxchg16b crashes now and then under QEMU 7.2, which gets the flags wrong after it.
    ...['-cpu', 'Nehalem,-cx16,+rdrand', '-smp', '1', '-m', String(memoryMb)],
    ...['-kernel', kernel, '-initrd', initramfs, '-append', KERNEL_PARAMETERS],
    ...[
      '-device',
      'virtio-serial-pci,max_ports=2',
      '-chardev',
      `socket,id=port,path=${join(folder, 'port')}`,
    ],
    ...['-device', 'virtserialport,chardev=port'],
  ];
  for (let index = 0; index < Math.max(disks.length, DISK_PLACES); index += 1) {
    const name = diskName(index);
    args.push('-blockdev', JSON.stringify(blockNode(name, disks[index], folder)));
    args.push(
      '-device',
      `virtio-blk-pci,drive=${name},serial=${name},discard=off,write-zeroes=off,num-queues=1`,
    );
  }
  if (incoming) args.push('-incoming', `fd:${INPUT_DESCRIPTOR}`);
  return args;
}

/** A disk of ours over NBD, or nothing in a place that is not used. */
function blockNode(name: string, disk: DiskAccess | undefined, folder: string): object {
  if (disk === undefined) return { driver: 'null-co', 'node-name': name, size: 1024 * 1024 };
  return {
    driver: 'nbd',
    'node-name': name,
    server: { type: 'unix', path: join(folder, 'disks') },
    export: name,
    'read-only': disk.access === 'read-only',
    // The server is memory of ours, and nothing counts before the guest has unmounted: there is nothing to flush.
    cache: { 'no-flush': true },
  };
}
