import { isBlockDevice } from '../block-device/block-window';
import { CachedBlockReader } from '../block-device/cached-block-reader';
import { ReadOnlyDeviceError } from '../block-device/device-errors';
import { openExt4 } from '../filesystem/ext4/open-ext4';
import { openExt4Writable } from '../filesystem/ext4/write/open-ext4-writable';
import type { LinuxKernel } from '../filesystem/linux-kernel';
import { assembleImage } from './assemble-image';
import type { Image, ImageVolume, WritableImage, WritableVolume } from './image';
import { ImageNamespace } from './image-namespace';
import { listFilesystems } from './list-filesystems';

export interface OpenImageOptions {
  /** Memory for blocks, of each filesystem. */
  readonly cacheBytes?: number;
  /** For filesystems that only the kernel reads, and logs that only it replays. */
  readonly kernel?: LinuxKernel;
}

/**
 * Opens the volumes of one instance as the machine would see them when it runs. Only what says what is where is read;
 * the rest is read when it is asked for. Nothing is written.
 *
 * @throws PartitionTableError, NoRootFilesystemError, UnsupportedFilesystemError, UnsupportedFeatureError,
 *   CorruptFilesystemError, MissingVolumeError, AmbiguousDeviceError
 */
export async function openImage(
  volumes: readonly ImageVolume[],
  options: OpenImageOptions = {},
): Promise<Image> {
  // What says where things are lies in few blocks, and each part of it is looked at by another reader.
  const cached = volumes.map((volume) => ({ ...volume, device: new CachedBlockReader(volume.device) }));
  const { filesystems, diskUuids } = await listFilesystems(cached);
  const { image } = await assembleImage(filesystems, diskUuids, {
    open: ({ device }) => openExt4(device, options),
    peek: ({ device }) => openExt4(device, options),
  });
  return image;
}

/**
 * Opens the volumes so that they can be changed: what their last mount left undone is done in the devices at once (the
 * journal is replayed, orphans are deleted).
 *
 * @throws what `openImage` throws, and FilesystemNotCleanError
 */
export async function openWritableImage(
  volumes: readonly WritableVolume[],
  options: OpenImageOptions = {},
): Promise<WritableImage> {
  const { filesystems, diskUuids } = await listFilesystems(volumes);
  const { image, mounts } = await assembleImage(filesystems, diskUuids, {
    open: async ({ device }) => {
      if (!isBlockDevice(device)) throw new ReadOnlyDeviceError();
      return openExt4Writable(device, options);
    },
    peek: ({ device }) => openExt4(device, options),
  });
  return new WritableNamespace(
    image,
    mounts.map((mount) => ({ ...mount, writer: mount.filesystem })),
    () => openWritableImage(volumes, options),
  );
}

class WritableNamespace extends ImageNamespace implements WritableImage {
  constructor(
    image: ImageNamespace,
    readonly writableMounts: WritableImage['writableMounts'],
    readonly reopen: () => Promise<WritableImage>,
  ) {
    super(image.mounts, image);
  }
}
