import { ImageElvesError } from '../errors';

/** None of the volumes holds a filesystem that is a root: one with /etc/fstab or /etc/os-release. */
export class NoRootFilesystemError extends ImageElvesError {
  override readonly name = 'NoRootFilesystemError';
  /** @param found what there is instead, a line each: `vol-1 (/dev/xvda) partition 2: swap` */
  constructor(found: readonly string[]) {
    super(
      found.length === 0
        ? 'The volumes hold neither a partition table nor a filesystem.'
        : `No root filesystem is among what the volumes hold: ${found.join('; ')}.`,
      { found },
      'Exclude the instance, or check that all of its volumes were snapshotted.',
    );
  }
}

/** The image's fstab mounts something that none of its volumes holds. */
export class MissingVolumeError extends ImageElvesError {
  override readonly name = 'MissingVolumeError';
  constructor(mountPoint: string, source: string) {
    super(
      `/etc/fstab mounts ${source} at ${mountPoint}, and no volume of the instance holds it.`,
      { mountPoint, source },
      'Attach the volume, or correct the line of fstab (with nofail when the machine does without it).',
    );
  }
}

/** A device name in fstab may be any of several volumes: NVMe names are given at boot, in no sure order. */
export class AmbiguousDeviceError extends ImageElvesError {
  override readonly name = 'AmbiguousDeviceError';
  constructor(mountPoint: string, source: string, volumeIds: readonly string[]) {
    super(
      `/etc/fstab mounts ${source} at ${mountPoint}, which may be any of ${volumeIds.join(', ')}.`,
      { mountPoint, source, volumeIds },
      'Name the filesystem by UUID= or LABEL= in fstab.',
    );
  }
}

/** A chain of symbolic links in the image that does not end. */
export class SymlinkLoopError extends ImageElvesError {
  override readonly name = 'SymlinkLoopError';
  constructor(path: string) {
    super(`Too many symbolic links on the way to ${path}.`, { path }, 'Repair the links on the instance.');
  }
}
