import type { BlockDevice, BlockReader } from '../core/block-device/block-device';
import type { KernelFilesystem } from '../core/filesystem/linux-kernel';
import type { MachineDisk } from './machine';
import { diskName } from './qemu-arguments';
import { ScratchDevice } from './scratch-device';

/** One disk of the machine for each device: filesystems that name the same device share it. */
export class SharedDisks {
  private constructor(
    readonly disks: readonly MachineDisk[],
    private readonly indexes: ReadonlyMap<BlockReader, number>,
    private readonly scratches: ReadonlyMap<BlockDevice, ScratchDevice>,
  ) {}

  static readOnly(filesystems: readonly KernelFilesystem[]): SharedDisks {
    const devices = [...new Set(filesystems.map(({ device }) => device))];
    return new SharedDisks(
      devices.map((device) => ({ access: 'read-only', device })),
      indexed(devices),
      new Map(),
    );
  }

  /** What is written stays in memory until merge(). */
  static writable(
    filesystems: readonly KernelFilesystem<BlockDevice>[],
    maxWrittenBytes: number,
  ): SharedDisks {
    const devices = [...new Set(filesystems.map(({ device }) => device))];
    const budget = { leftBytes: maxWrittenBytes };
    const scratches = new Map(devices.map((device) => [device, new ScratchDevice(device, budget)]));
    return new SharedDisks(
      [...scratches.values()].map((device) => ({ access: 'read-write', device })),
      indexed(devices),
      scratches,
    );
  }

  nameOf({ device }: KernelFilesystem): string {
    return diskName(this.indexes.get(device) ?? 0);
  }

  /** Gives each device what was written for it. */
  async merge(): Promise<void> {
    for (const [device, scratch] of this.scratches) await scratch.mergeInto(device);
  }
}

function indexed(devices: readonly BlockReader[]): ReadonlyMap<BlockReader, number> {
  return new Map(devices.map((device, index) => [device, index]));
}
