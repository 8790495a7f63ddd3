import { MemoryBlockDevice } from '../../../core/block-device/memory-block-device';
import { readFilesystemTags } from '../../../core/image/filesystem-tags';

/** First bytes of what `mkfs.vfat -n EFI -i 0a1b2c3d` makes; blkid reads UUID 0A1B-2C3D and LABEL EFI of both. */
const fat: Readonly<Record<string, string>> = {
  FAT16:
    'eb3c906d6b66732e66617400020404000200020000f880002000080000000000000002008000293d2c1b0a454649202020202020202046415431362020200e1fbe5b7cac22c0740b56b40ebb0700cd105eebf032e4cd16cd19ebfe5468697320',
  FAT32:
    'eb58906d6b66732e66617400020120000200000000f80000200008000000000000000200f10300000000000002000000010006000000000000000000000000008000293d2c1b0a454649202020202020202046415433322020200e1fbe777cac',
};

async function deviceWith(at: number, bytes: Uint8Array): Promise<MemoryBlockDevice> {
  const device = new MemoryBlockDevice(256 * 1024);
  await device.write(at, bytes);
  return device;
}

const uuidBytes = Buffer.from('0123456789abcdef0123456789abcdef', 'hex');
const uuid = '01234567-89ab-cdef-0123-456789abcdef';

describe('the names of a filesystem', () => {
  it.each(Object.entries(fat))('of %s are its serial number and label', async (_, head) => {
    const device = await deviceWith(0, Buffer.from(head, 'hex'));
    expect(await readFilesystemTags(device, 'vfat')).toEqual({ uuid: '0A1B-2C3D', label: 'EFI' });
  });

  it.each([
    ['ext4', 1024 + 0x68, 1024 + 0x78],
    ['xfs', 32, 108],
    ['btrfs', 0x10020, 0x1012b],
    ['swap', 1024 + 12, 1024 + 28],
  ])('of %s stand in its superblock', async (kind, uuidAt, labelAt) => {
    const device = await deviceWith(uuidAt, uuidBytes);
    expect(await readFilesystemTags(device, kind)).toEqual({ uuid, label: undefined });
    await device.write(labelAt, Buffer.from('my root\0'));
    expect(await readFilesystemTags(device, kind)).toEqual({ uuid, label: 'my root' });
  });

  it('are none for what has none, and on a device too small for them', async () => {
    const none = { uuid: undefined, label: undefined };
    expect(await readFilesystemTags(new MemoryBlockDevice(65536), 'unknown')).toEqual(none);
    expect(await readFilesystemTags(new MemoryBlockDevice(65536), 'btrfs')).toEqual(none);
    expect(await readFilesystemTags(new MemoryBlockDevice(65536), 'ext4')).toEqual(none);
  });
});
