import { AmbiguousDeviceError } from './image-errors';
import type { FstabEntry } from './fstab';
import type { VolumeFilesystem } from './volume-filesystem';

const tagLinks: Readonly<Record<string, string>> = {
  'by-uuid': 'UUID',
  'by-label': 'LABEL',
  'by-partuuid': 'PARTUUID',
  'by-partlabel': 'PARTLABEL',
};

/**
 * The filesystem that an fstab line means, whatever way it names it: by tag, by a link below /dev/disk, or by a device
 * name of any of the drivers under which one and the same volume appears (Xen's xvda, NVMe's nvme0n1, virtio's vda).
 *
 * @throws AmbiguousDeviceError when the name may be one of several volumes
 */
export function findSource(
  entry: FstabEntry,
  filesystems: readonly VolumeFilesystem[],
): VolumeFilesystem | undefined {
  const tag = tagOf(entry.source);
  if (tag) return filesystems.find((candidate) => hasTag(candidate, tag));
  const linked = filesystems.find(({ deviceLinks }) => deviceLinks?.includes(entry.source));
  if (linked) return linked;
  const device = /^\/dev\/(.+)$/.exec(entry.source)?.[1];
  return device === undefined ? undefined : findDevice(entry, device, filesystems);
}

/** True for what names a disk at all: a bind mount, a server or `tmpfs` does not. */
export function isDiskSource(source: string): boolean {
  return tagOf(source) !== undefined || source.startsWith('/dev/');
}

interface Tag {
  readonly kind: string;
  readonly value: string;
}

function tagOf(source: string): Tag | undefined {
  const tag = /^(UUID|LABEL|PARTUUID|PARTLABEL)=(.*)$/.exec(source);
  if (tag) return { kind: tag[1] ?? '', value: tag[2] ?? '' };
  const link = /^\/dev\/disk\/(by-[a-z]+)\/(.+)$/.exec(source);
  const kind = tagLinks[link?.[1] ?? ''];
  return kind === undefined ? undefined : { kind, value: unescapeHex(link?.[2] ?? '') };
}

/** udev writes a blank in a link's name as `\x20`. */
function unescapeHex(name: string): string {
  return name.replace(/\\x([0-9a-f]{2})/gi, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
}

function hasTag({ uuid, label, partUuid, partLabel }: VolumeFilesystem, { kind, value }: Tag): boolean {
  if (kind === 'LABEL') return label === value;
  if (kind === 'PARTLABEL') return partLabel === value;
  const found = kind === 'UUID' ? uuid : partUuid;
  return found?.toLowerCase() === value.toLowerCase();
}

function findDevice(
  entry: FstabEntry,
  device: string,
  filesystems: readonly VolumeFilesystem[],
): VolumeFilesystem | undefined {
  const nvme = /^nvme(\d+)n1(?:p(\d+))?$/.exec(device);
  if (nvme) return findNvme(entry, Number(nvme[1]), partitionOf(nvme[2]), withoutLogicalVolumes(filesystems));
  const disk = /^(?:sd|xvd|hd|vd)([a-z]+)(\d+)?$/.exec(device);
  if (!disk) return undefined;
  const onDisk = withoutLogicalVolumes(filesystems).filter(
    ({ deviceName }) => driveLetters(deviceName) === disk[1],
  );
  // Xen attaches a volume without partitions under a partition's name: /dev/sda1.
  return onPartition(onDisk, partitionOf(disk[2])) ?? onDisk.find(({ partition }) => partition === undefined);
}

/** They have names of their own. */
function withoutLogicalVolumes(filesystems: readonly VolumeFilesystem[]): readonly VolumeFilesystem[] {
  return filesystems.filter(({ logicalVolume }) => logicalVolume === undefined);
}

/** The root volume is the first controller; the kernel numbers the others as they answer. */
function findNvme(
  entry: FstabEntry,
  controller: number,
  partition: number | undefined,
  filesystems: readonly VolumeFilesystem[],
): VolumeFilesystem | undefined {
  if (controller === 0) {
    return onPartition(
      filesystems.filter(({ onRootVolume }) => onRootVolume),
      partition,
    );
  }
  const others = filesystems.filter(({ onRootVolume }) => !onRootVolume);
  const volumeIds = [...new Set(others.map(({ volumeId }) => volumeId))];
  if (volumeIds.length > 1) throw new AmbiguousDeviceError(entry.mountPoint, entry.source, volumeIds);
  return onPartition(others, partition);
}

function onPartition(
  filesystems: readonly VolumeFilesystem[],
  partition: number | undefined,
): VolumeFilesystem | undefined {
  return filesystems.find((candidate) => candidate.partition === partition);
}

function partitionOf(digits: string | undefined): number | undefined {
  return digits === undefined ? undefined : Number(digits);
}

/** `a` of /dev/xvda, /dev/sda1 and xvda; EC2 takes all of them as the name of a volume. */
function driveLetters(deviceName: string): string | undefined {
  return /^(?:\/dev\/)?(?:sd|xvd|hd|vd)([a-z]+)\d*$/.exec(deviceName)?.[1];
}
