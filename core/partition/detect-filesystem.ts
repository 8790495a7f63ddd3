import type { BlockReader } from '../block-device/block-device';
import { readU16, readU32 } from '../bytes/little-endian';

/** `ext4` stands for ext2 and ext3 too. */
export type FilesystemKind =
  'ext4' | 'xfs' | 'btrfs' | 'lvm2' | 'luks' | 'vfat' | 'swap' | 'mdraid' | 'unknown';

const HEAD_BYTES = 0x11000;
const MDRAID_MAGIC = 0xa92b4efc;

/**
 * What a partition or bare disk holds, by its magic numbers. Containers are looked for before what may shine through
 * them: a RAID 1 member with its superblock at the end begins as the filesystem inside.
 */
export async function detectFilesystem(reader: BlockReader): Promise<FilesystemKind> {
  const head = new Uint8Array(HEAD_BYTES);
  head.set(await reader.read(0, Math.min(HEAD_BYTES, reader.sizeBytes)));
  const text = (offset: number, length: number): string =>
    Buffer.from(head.subarray(offset, offset + length)).toString('latin1');

  if (await isRaidMember(reader, head)) return 'mdraid';
  if (text(0, 6) === 'LUKS\xba\xbe') return 'luks';
  if (
    [0, 512, 1024, 1536].some((sector) => text(sector, 8) === 'LABELONE' && text(sector + 24, 4) === 'LVM2')
  ) {
    return 'lvm2';
  }
  if (text(0, 4) === 'XFSB') return 'xfs';
  if (text(0x10040, 8) === '_BHRfS_M') return 'btrfs';
  if ([4096, 8192, 16384, 65536].some((page) => text(page - 10, 10) === 'SWAPSPACE2')) return 'swap';
  if (readU16(head, 0x438) === 0xef53) return 'ext4';
  if (readU16(head, 510) === 0xaa55 && (text(54, 3) === 'FAT' || text(82, 5) === 'FAT32')) return 'vfat';
  return 'unknown';
}

/** md superblocks: 1.1 at the start, 1.2 at 4 KiB, 1.0 and 0.90 near the end. */
async function isRaidMember(reader: BlockReader, head: Uint8Array): Promise<boolean> {
  if (readU32(head, 0) === MDRAID_MAGIC || readU32(head, 4096) === MDRAID_MAGIC) return true;
  const sectors = Math.floor(reader.sizeBytes / 512);
  const places = [Math.floor((sectors - 16) / 8) * 8 * 512, (Math.floor(sectors / 128) * 128 - 128) * 512];
  for (const offset of places) {
    if (offset < 0) continue;
    const superblock = await reader.read(offset, 512);
    if (readU32(superblock, 0) === MDRAID_MAGIC) return true;
  }
  return false;
}
