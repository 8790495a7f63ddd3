import { BlockMemory } from '../block-device/block-memory';
import { CachedBlockReader } from '../block-device/cached-block-reader';
import { assembleImage } from './assemble-image';
import type { Image, ImageVolume, WritableImage, WritableVolume } from './image';
import { ImageNamespace } from './image-namespace';
import { listFilesystems } from './list-filesystems';
import { type OpenImageOptions, ReadFilesystems, WritableFilesystems } from './opened-filesystems';

export type { OpenImageOptions };

/**
 * Opens the volumes of one instance as the machine would see them when it runs. Only what says what is where is read;
 * the rest is read when it is asked for. Nothing is written: a log that only the kernel replays is replayed in memory.
 *
 * @throws PartitionTableError, NoRootFilesystemError, UnsupportedFilesystemError, UnsupportedFeatureError,
 *   CorruptFilesystemError, MissingVolumeError, AmbiguousDeviceError, RecoveryNeededError without a kernel
 */
export async function openImage(
  volumes: readonly ImageVolume[],
  options: OpenImageOptions = {},
): Promise<Image> {
  // What says where things are lies in few blocks, and each part of it is looked at by another reader.
  // One memory for all volumes, in which the filesystems' own caches keep what they read as well.
  const memory =
    volumes.find(({ device }) => device.memory !== undefined)?.device.memory ?? new BlockMemory();
  const cached = volumes.map((volume) => ({
    ...volume,
    device: new CachedBlockReader(volume.device, memory),
  }));
  const { filesystems, diskUuids } = await listFilesystems(cached);
  const opener = new ReadFilesystems(options);
  const { image } = await closedOnError(opener, () => assembleImage(filesystems, diskUuids, opener));
  return new ImageNamespace(image.mounts, image, () => opener.close());
}

/**
 * Opens the volumes so that they can be changed: what their last mount left undone is done in the devices at once (the
 * journal is replayed, orphans are deleted). A filesystem that our own code does not write, or nothing should, is a mount
 * without a writer and with the reason.
 *
 * @throws what `openImage` throws
 */
export async function openWritableImage(
  volumes: readonly WritableVolume[],
  options: OpenImageOptions = {},
): Promise<WritableImage> {
  const { filesystems, diskUuids } = await listFilesystems(volumes);
  const opener = new WritableFilesystems(options);
  const { image, mounts } = await closedOnError(opener, () => assembleImage(filesystems, diskUuids, opener));
  return new WritableNamespace(
    image,
    mounts.map(({ mountPoint, kind, filesystem, subvolume, opened }) => ({
      mountPoint,
      kind,
      filesystem,
      device: opened.device,
      ...(opened.writer === undefined ? { refusal: opened.refusal } : { writer: opened.writer }),
      ...(subvolume === undefined ? {} : { subvolume }),
    })),
    () => opener.close(),
    () => openWritableImage(volumes, options),
  );
}

async function closedOnError<T>(opener: ReadFilesystems, assemble: () => Promise<T>): Promise<T> {
  try {
    return await assemble();
  } catch (error) {
    await opener.close();
    throw error;
  }
}

class WritableNamespace extends ImageNamespace implements WritableImage {
  constructor(
    image: ImageNamespace,
    readonly writableMounts: WritableImage['writableMounts'],
    whenClosed: () => Promise<void>,
    private readonly openAnew: () => Promise<WritableImage>,
  ) {
    super(image.mounts, image, whenClosed);
  }

  async reopen(): Promise<WritableImage> {
    await this.close();
    return this.openAnew();
  }
}
