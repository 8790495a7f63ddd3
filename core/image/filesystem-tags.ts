import type { BlockReader } from '../block-device/block-device';

/** The names by which fstab may call a filesystem. */
export interface FilesystemTags {
  readonly uuid: string | undefined;
  readonly label: string | undefined;
}

/** Where a kind of filesystem keeps its UUID and label: offset and length in bytes from its start. */
interface TagLayout {
  readonly uuid: readonly [offset: number, length: number];
  readonly label: readonly [offset: number, length: number];
}

/** ext4: Documentation/filesystems/ext4/super.rst; XFS: xfs_dsb; btrfs: struct btrfs_super_block; swap: union swap_header; LUKS: its on-disk format. */
const layouts: Readonly<Record<string, TagLayout>> = {
  ext4: { uuid: [1024 + 0x68, 16], label: [1024 + 0x78, 16] },
  xfs: { uuid: [32, 16], label: [108, 12] },
  btrfs: { uuid: [0x10020, 16], label: [0x1012b, 256] },
  swap: { uuid: [1024 + 12, 16], label: [1024 + 28, 16] },
};

/** FAT keeps a serial number of four bytes; FAT32 has it further on than FAT12 and FAT16. */
const FAT_LAYOUTS = {
  fat32: { uuid: [67, 4], label: [71, 11], magic: 82 },
  fat16: { uuid: [39, 4], label: [43, 11], magic: 54 },
} as const;

/** Undefined where the kind has none, or where this code does not know it. */
export async function readFilesystemTags(device: BlockReader, kind: string): Promise<FilesystemTags> {
  if (kind === 'vfat') return readFatTags(device);
  const layout = layouts[kind];
  if (!layout) return { uuid: undefined, label: undefined };
  const [uuid, label] = await Promise.all([readAt(device, layout.uuid), readAt(device, layout.label)]);
  return { uuid: uuid && uuidText(uuid), label: label && labelText(label) };
}

async function readFatTags(device: BlockReader): Promise<FilesystemTags> {
  const sector = await readAt(device, [0, 512]);
  if (!sector) return { uuid: undefined, label: undefined };
  const isFat32 =
    sector.subarray(FAT_LAYOUTS.fat32.magic, FAT_LAYOUTS.fat32.magic + 5).toString() === 'FAT32';
  const { uuid, label } = isFat32 ? FAT_LAYOUTS.fat32 : FAT_LAYOUTS.fat16;
  const serial = sector.readUInt32LE(uuid[0]).toString(16).padStart(8, '0').toUpperCase();
  return {
    uuid: `${serial.slice(0, 4)}-${serial.slice(4)}`,
    label: labelText(sector.subarray(label[0], label[0] + label[1])),
  };
}

async function readAt(
  device: BlockReader,
  [offset, length]: readonly [number, number],
): Promise<Buffer | undefined> {
  if (offset + length > device.sizeBytes) return undefined;
  return Buffer.from(await device.read(offset, length));
}

function uuidText(bytes: Buffer): string | undefined {
  if (bytes.every((byte) => byte === 0)) return undefined;
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

function labelText(bytes: Buffer): string | undefined {
  const end = bytes.indexOf(0);
  const label = bytes
    .subarray(0, end < 0 ? undefined : end)
    .toString('utf8')
    .trimEnd();
  return label === '' || label === 'NO NAME' ? undefined : label;
}
