import type { BlockReader } from '../../block-device/block-device';
import { CorruptFilesystemError, RecoveryNeededError, UnsupportedFeatureError } from '../errors';

/** struct btrfs_super_block (kernel include/uapi/linux/btrfs_tree.h): the primary copy, and offsets within it. */
const SUPERBLOCK_OFFSET_BYTES = 0x10000;
const SUPERBLOCK_BYTES = 4096;
const MAGIC = '_BHRfS_M';
const FLAGS = 0x38;
const LOG_ROOT = 0x60;
const DEVICE_COUNT = 0x88;
const INCOMPAT_FLAGS = 0xbc;

const FLAG_SEEDING = 1n << 32n;
const INCOMPAT_DEFAULT_SUBVOLUME = 1n << 1n;

/** What must be known of a btrfs before the kernel is asked to read it. */
export interface BtrfsSuperblock {
  readonly devices: number;
  /** True when a tree log holds changes of the last mount. */
  readonly hasLog: boolean;
  /** True when another device is needed to read it, and it is read-only. */
  readonly isSeed: boolean;
  /** True when a mount that names no subvolume may get another one than the top level. */
  readonly hasDefaultSubvolume: boolean;
}

/** @throws CorruptFilesystemError */
export async function readBtrfsSuperblock(device: BlockReader): Promise<BtrfsSuperblock> {
  if (device.sizeBytes < SUPERBLOCK_OFFSET_BYTES + SUPERBLOCK_BYTES) {
    throw new CorruptFilesystemError('device too small for btrfs', { sizeBytes: device.sizeBytes });
  }
  const bytes = await device.read(SUPERBLOCK_OFFSET_BYTES, SUPERBLOCK_BYTES);
  if (Buffer.from(bytes.subarray(0x40, 0x48)).toString('latin1') !== MAGIC) {
    throw new CorruptFilesystemError('no btrfs superblock magic');
  }
  const flags = (offset: number): bigint => Buffer.from(bytes.slice(offset, offset + 8)).readBigUInt64LE();
  return {
    devices: Number(flags(DEVICE_COUNT)),
    hasLog: flags(LOG_ROOT) !== 0n,
    isSeed: (flags(FLAGS) & FLAG_SEEDING) !== 0n,
    hasDefaultSubvolume: (flags(INCOMPAT_FLAGS) & INCOMPAT_DEFAULT_SUBVOLUME) !== 0n,
  };
}

/**
 * What must hold before the kernel is given one device as the whole filesystem.
 *
 * @throws UnsupportedFeatureError, RecoveryNeededError, CorruptFilesystemError
 */
export async function checkBtrfs(device: BlockReader): Promise<void> {
  const { devices, hasLog, isSeed } = await readBtrfsSuperblock(device);
  if (devices !== 1) throw new UnsupportedFeatureError([`btrfs on ${devices} devices`], 'read');
  if (isSeed) throw new UnsupportedFeatureError(['btrfs seed device'], 'read');
  if (hasLog) throw new RecoveryNeededError('btrfs', 'its tree log holds changes');
}
