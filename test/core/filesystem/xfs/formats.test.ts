import { MemoryBlockDevice } from '../../../../core/block-device/memory-block-device';
import { FaultingCache } from '../../../../core/block-device/faulting-cache';
import { CorruptFilesystemError, UnsupportedFeatureError } from '../../../../core/filesystem/errors';
import { aclFromDisk } from '../../../../core/filesystem/xfs/acl';
import { parseExtent } from '../../../../core/filesystem/xfs/extent';
import { checkReadable, XFS_FEATURES } from '../../../../core/filesystem/xfs/features';
import { contentPieces, rangeOfBlocks } from '../../../../core/filesystem/xfs/file-content';
import { statOf } from '../../../../core/filesystem/xfs/inode-facts';
import { isInUse } from '../../../../core/filesystem/xfs/inode-tree';
import type { Superblock } from '../../../../core/filesystem/xfs/superblock';
import { Volume } from '../../../../core/filesystem/xfs/volume';
import { shortformXattrs } from '../../../../core/filesystem/xfs/xattr';

const superblock = {
  blockSize: 4096,
  inodeSize: 512,
  inodesPerBlockBits: 3,
  groupBlocks: 20_000,
  groupCount: 3,
  groupBlockBits: 15,
  blocksCount: 50_000,
} as Superblock;
const volume = new Volume(new FaultingCache(new MemoryBlockDevice(50_000 * 4096)), superblock);

function hex(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text.replaceAll(' ', ''), 'hex'));
}

describe('an XFS extent', () => {
  const extent = (unwritten: number, fileBlock: bigint, diskBlock: bigint, blocks: bigint): Uint8Array => {
    const whole = (BigInt(unwritten) << 127n) | (fileBlock << 73n) | (diskBlock << 21n) | blocks;
    return hex(whole.toString(16).padStart(32, '0'));
  };

  it('is a flag, 54 bits of file block, 52 of disk block and 21 of length', () => {
    expect(parseExtent(extent(1, 0x2_1234_5678_9an, (1n << 15n) | 7n, 19_000n), 0, volume)).toEqual({
      fileBlock: 0x2_1234_5678_9a,
      blocks: 19_000,
      offsetBytes: (20_000 + 7) * 4096,
      unwritten: true,
    });
  });

  it.each([
    ['no blocks', extent(0, 0n, 7n, 0n)],
    ['an end beyond its group', extent(0, 0n, 19_999n, 2n)],
    ['a group that there is not', extent(0, 0n, 3n << 15n, 1n)],
    ['an end beyond the volume', extent(0, 0n, (2n << 15n) | 9_999n, 2n)],
    ['the largest numbers', extent(1, (1n << 54n) - 1n, (1n << 52n) - 1n, (1n << 21n) - 1n)],
  ])('with %s is damage', (_, bytes) => {
    expect(() => parseExtent(bytes, 0, volume)).toThrow(CorruptFilesystemError);
  });
});

describe('addresses in an XFS volume', () => {
  it('put an inode into its group, block and slot', () => {
    const number = 2 * 2 ** 18 + 5 * 8 + 3;
    expect(volume.inodeRange(number)).toEqual({
      offsetBytes: (40_000 + 5) * 4096 + 3 * 512,
      lengthBytes: 512,
    });
    expect(volume.inodeNumber(2, 43)).toBe(number);
  });

  it('are damage beyond the last group, which is shorter', () => {
    expect(() => volume.inodeRange(2 * 2 ** 18 + 10_000 * 8)).toThrow(CorruptFilesystemError);
    expect(() => volume.inodeRange(2 ** 52)).toThrow(CorruptFilesystemError);
  });
});

describe('the content of an XFS file', () => {
  const extents = [
    { fileBlock: 1, blocks: 2, offsetBytes: 40_960, unwritten: false },
    { fileBlock: 3, blocks: 1, offsetBytes: 8192, unwritten: true },
    { fileBlock: 4, blocks: 1, offsetBytes: 4096, unwritten: false },
  ];

  it('has pieces where it was written', () => {
    expect(contentPieces(extents, 4096, { offsetBytes: 5000, lengthBytes: 14_000 })).toEqual([
      { fileOffset: 5000, offsetBytes: 40_960 + 904, lengthBytes: 7288 },
      { fileOffset: 16_384, offsetBytes: 4096, lengthBytes: 2616 },
    ]);
    expect(contentPieces(extents, 4096, { offsetBytes: 100_000, lengthBytes: 5 })).toEqual([]);
  });

  it('is damage where metadata is asked for and there is a hole', () => {
    expect(rangeOfBlocks(extents, 4096, 2, 1)).toEqual({ offsetBytes: 45_056, lengthBytes: 4096 });
    for (const block of [0, 3, 5]) {
      expect(() => rangeOfBlocks(extents, 4096, block, 1)).toThrow(CorruptFilesystemError);
    }
  });
});

describe('times of an XFS inode', () => {
  const inode = (isBig: boolean, mtime: bigint): Uint8Array => {
    const bytes = new Uint8Array(512);
    const view = new DataView(bytes.buffer);
    view.setUint16(2, 0x8000 | 0o644);
    view.setUint8(4, 3);
    view.setBigUint64(40, BigInt.asUintN(64, mtime));
    view.setBigUint64(48, BigInt.asUintN(64, mtime));
    view.setBigUint64(120, isBig ? 8n : 0n);
    return bytes;
  };

  it.each([0n, 1n, 2_147_483_648_000_000_000n, 7_000_000_000_123_456_789n, 2n ** 64n - 1n])(
    'are nanoseconds since 1901 where the inode says so: %s',
    (stored) => {
      const expected = stored - 2_147_483_648_000_000_000n;
      expect(statOf(inode(true, stored), 7)).toMatchObject({ mtimeNs: expected, ctimeNs: expected });
    },
  );

  it('are signed seconds and nanoseconds where it does not', () => {
    const stored = (BigInt.asUintN(32, -3n) << 32n) | 999_999_999n;
    expect(statOf(inode(false, stored), 7).mtimeNs).toBe(-2_000_000_001n);
  });
});

describe('a chunk of XFS inodes', () => {
  it('has inodes that are free, or have no place', () => {
    const chunk = { group: 0, index: 0, freeLow: 0x8000_0001, freeHigh: 2, holes: 0b10 };
    const used = Array.from({ length: 64 }, (_, slot) => slot).filter((slot) => !isInUse(chunk, slot));
    expect(used).toEqual([0, 4, 5, 6, 7, 31, 33]);
  });
});

describe('attributes in an XFS inode', () => {
  it('are a name, a value and a namespace after each other', () => {
    const fork = hex('0013 02 00 01 02 00 61 7879 03 00 02 626364 000000 000000');
    expect(shortformXattrs(fork)).toEqual([
      { flags: 0, name: hex('61'), value: hex('7879') },
      { flags: 2, name: hex('626364'), value: hex('') },
    ]);
  });

  it('are damage when they reach beyond what they say', () => {
    expect(() => shortformXattrs(hex('0009 01 00 03 20 00 61 62'))).toThrow(CorruptFilesystemError);
    expect(() => shortformXattrs(hex('0400 00 00'))).toThrow(CorruptFilesystemError);
  });
});

describe('an ACL as XFS stores it', () => {
  it('becomes what getxattr gives', () => {
    const disk = hex(
      '00000002 00000001 00000000 0006 0000' + '00000002 000003e8 0005 0000' + '00000002 000003e8 0005 0000',
    );
    expect(Buffer.from(aclFromDisk(disk)!).toString('hex')).toBe(
      '02000000' + '0100 0600 ffffffff'.replaceAll(' ', '') + '02000500e8030000',
    );
  });

  it('is none without entries, and damage with more than there are', () => {
    expect(aclFromDisk(hex('00000000'))).toBeUndefined();
    expect(() => aclFromDisk(hex('10000000 00000001 00000000 0006 0000'))).toThrow(CorruptFilesystemError);
    expect(() => aclFromDisk(hex('00000001 00000003 00000000 0006 0000'))).toThrow(CorruptFilesystemError);
  });
});

describe('features of XFS', () => {
  const plain = { version: 5, versionBits: 0, featureIncompat: 1, realtimeBlocks: 0, logStart: 9 };

  it.each(XFS_FEATURES.filter(({ word }) => word === 'incompat'))(
    '$name is let in as the table says',
    ({ name, bit, read }) => {
      const open = (): void => checkReadable({ ...plain, featureIncompat: 1 | bit! });
      if (read === 'direct') expect(open).not.toThrow();
      else expect(open).toThrow(new UnsupportedFeatureError([name], 'read'));
    },
  );

  it('without a name keep it shut, and all are told at once', () => {
    const open = (): void =>
      checkReadable({ ...plain, featureIncompat: 0x8000_0010, versionBits: 0x4000, logStart: 0 });
    expect(open).toThrow(
      new UnsupportedFeatureError(['needsrepair', 'incompat 0x80000000', 'ascii-ci', 'external log'], 'read'),
    );
  });
});
