import { MemoryBlockDevice } from '../../core/block-device/memory-block-device';
import { UnsupportedFilesystemError } from '../../core/filesystem/errors';
import type { FilesystemReader } from '../../core/filesystem/filesystem';
import { assembleImage, type FilesystemOpener } from '../../core/image/assemble-image';
import type { ImageNamespace } from '../../core/image/image-namespace';
import { placeOf, type VolumeFilesystem } from '../../core/image/volume-filesystem';
import { MemoryFilesystem } from './memory-filesystem';

/** A partition with this filesystem, or of this kind when it is not one that can be opened. */
export function onPartition(
  partition: number | undefined,
  content: MemoryFilesystem | string,
  names: Partial<VolumeFilesystem> = {},
): VolumeFilesystem & { content: MemoryFilesystem | string } {
  return {
    volumeId: 'vol-root',
    volumeIds: ['vol-root'],
    deviceName: '/dev/xvda',
    onRootVolume: true,
    partition,
    partUuid: undefined,
    partLabel: undefined,
    kind: typeof content === 'string' ? content : 'ext4',
    uuid: undefined,
    label: undefined,
    device: new MemoryBlockDevice(1024),
    content,
    ...names,
  };
}

export async function filesystemWith(files: Readonly<Record<string, string>>): Promise<MemoryFilesystem> {
  const filesystem = new MemoryFilesystem();
  for (const [path, text] of Object.entries(files)) await filesystem.put(path, text);
  return filesystem;
}

const OPEN_KINDS: ReadonlySet<string> = new Set(['ext4']);

/** Opens what `onPartition` holds, and tells which were opened for good. */
export function memoryOpener(): FilesystemOpener<{ filesystem: FilesystemReader }> & {
  opened: VolumeFilesystem[];
} {
  const opened: VolumeFilesystem[] = [];
  const contentOf = (source: VolumeFilesystem): MemoryFilesystem =>
    (source as ReturnType<typeof onPartition>).content as MemoryFilesystem;
  return {
    opened,
    refuse(source) {
      if (source.refusal !== undefined) return source.refusal;
      return OPEN_KINDS.has(source.kind)
        ? undefined
        : new UnsupportedFilesystemError(source.kind, placeOf(source));
    },
    async look(sources) {
      return sources.map(contentOf);
    },
    async open(source) {
      opened.push(source);
      return { filesystem: contentOf(source) };
    },
  };
}

export async function imageOf(
  ...filesystems: readonly ReturnType<typeof onPartition>[]
): Promise<ImageNamespace> {
  return (await assembleImage(filesystems, [], memoryOpener())).image;
}
