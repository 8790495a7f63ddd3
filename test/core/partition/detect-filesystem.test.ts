import { MemoryBlockDevice } from '../../../core/block-device/memory-block-device';
import { detectFilesystem } from '../../../core/partition/detect-filesystem';

const SIZE = 1024 * 1024;

/** A device with these bytes at these offsets. Magic numbers are those of the formats' own documents. */
function deviceWith(
  ...marks: readonly [offset: number, bytes: string | readonly number[]][]
): MemoryBlockDevice {
  const bytes = new Uint8Array(SIZE);
  for (const [offset, mark] of marks) {
    bytes.set(typeof mark === 'string' ? Buffer.from(mark, 'latin1') : mark, offset);
  }
  return MemoryBlockDevice.from(bytes);
}

const MDRAID = [0xfc, 0x4e, 0x2b, 0xa9];
const EXT4: [number, number[]] = [0x438, [0x53, 0xef]];

describe('detectFilesystem', () => {
  it.each([
    [
      'lvm2',
      [
        [512, 'LABELONE'],
        [536, 'LVM2 001'],
      ],
    ],
    ['luks', [[0, 'LUKS\xba\xbe']]],
    ['btrfs', [[0x10040, '_BHRfS_M']]],
    [
      'vfat',
      [
        [54, 'FAT16   '],
        [510, [0x55, 0xaa]],
      ],
    ],
    [
      'vfat',
      [
        [82, 'FAT32   '],
        [510, [0x55, 0xaa]],
      ],
    ],
    ['mdraid', [[4096, MDRAID]]],
    ['mdraid', [[0, MDRAID]]],
    ['ext4', [EXT4]],
    ['unknown', []],
  ] as [string, [number, string | number[]][]][])('%s by its magic', async (kind, marks) => {
    expect(await detectFilesystem(deviceWith(...marks))).toBe(kind);
  });

  it('sees the member of a mirror and not the filesystem that shines through', async () => {
    expect(await detectFilesystem(deviceWith(EXT4, [SIZE - 8192, MDRAID]))).toBe('mdraid');
    expect(await detectFilesystem(deviceWith(EXT4, [SIZE - 65536, MDRAID]))).toBe('mdraid');
  });

  it('takes a device too small to hold anything for unknown', async () => {
    expect(await detectFilesystem(new MemoryBlockDevice(512))).toBe('unknown');
  });
});
