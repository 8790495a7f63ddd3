import fc from 'fast-check';
import { CorruptFilesystemError } from '../../../../core/filesystem/errors';
import { parseDeviceNumber, serializeDeviceNumber } from '../../../../core/filesystem/ext4/device-number';
import {
  EXTRA_ISIZE,
  InodeFlag,
  parseInode,
  S_IFREG,
  verifyInode,
  writeInode,
  type Inode,
} from '../../../../core/filesystem/ext4/inode';
import { superblockFixture } from '../../../support/ext4-superblock';

const SECOND = 1_000_000_000n;
const FIRST = -(2n ** 31n) * SECOND;
/** The last moment that two more bits of seconds reach, in 2446. */
const LAST = (2n ** 34n - 2n ** 31n) * SECOND - 1n;
const times = fc.bigInt({ min: FIRST, max: LAST });

const inodes: fc.Arbitrary<Inode> = fc.record({
  mode: fc.nat(0o7777).map((bits) => S_IFREG | bits),
  uid: fc.nat(0xffffffff),
  gid: fc.nat(0xffffffff),
  sizeBytes: fc.maxSafeNat(),
  links: fc.nat(0xffff),
  flags: fc.constantFrom(0, InodeFlag.EXTENTS, InodeFlag.IMMUTABLE | InodeFlag.APPEND),
  sectors: fc.nat(2 ** 48 - 1),
  generation: fc.nat(0xffffffff),
  xattrBlock: fc.nat(2 ** 48 - 1),
  atimeNs: times,
  mtimeNs: times,
  ctimeNs: times,
  crtimeNs: times,
  dtime: fc.nat(0xffffffff),
  block: fc.uint8Array({ minLength: 60, maxLength: 60 }),
  extraIsize: fc.constant(EXTRA_ISIZE),
  projectId: fc.nat(0xffffffff),
});

describe('inode', () => {
  it('is read back as it was written, over any bytes that were there', () => {
    const superblock = superblockFixture();
    fc.assert(
      fc.property(
        inodes,
        fc.uint8Array({ minLength: 256, maxLength: 256 }),
        fc.nat(),
        (inode, bytes, number) => {
          const area = bytes.slice(160);
          writeInode(bytes, inode, superblock, number);
          verifyInode(bytes, superblock, number);
          expect(parseInode(bytes, superblock)).toEqual(inode);
          expect(bytes.slice(160)).toEqual(area);
        },
      ),
    );
  });

  it('of 128 bytes keeps whole seconds from 1901 to 2038 and nothing beyond its end', () => {
    const superblock = superblockFixture({ inodeSize: 128 });
    fc.assert(
      fc.property(inodes, fc.bigInt({ min: -(2n ** 31n), max: 2n ** 31n - 1n }), (inode, seconds) => {
        const bytes = new Uint8Array(128);
        const old = {
          ...inode,
          mtimeNs: seconds * SECOND + 5n,
          extraIsize: 0,
          sectors: inode.sectors % 2 ** 32,
        };
        writeInode(bytes, old, superblock, 12);
        verifyInode(bytes, superblock, 12);
        const read = parseInode(bytes, superblock);
        expect(read).toMatchObject({
          uid: inode.uid,
          mtimeNs: seconds * SECOND,
          crtimeNs: undefined,
          extraIsize: 0,
        });
      }),
    );
  });

  it('counts huge files in blocks on the disk, in sectors here', () => {
    const superblock = superblockFixture();
    const bytes = new Uint8Array(256);
    const huge = { ...sample(), flags: InodeFlag.HUGE_FILE, sectors: 8 * 1000 };
    writeInode(bytes, huge, superblock, 12);
    expect(bytes[0x1c]! | (bytes[0x1d]! << 8)).toBe(1000);
    expect(parseInode(bytes, superblock).sectors).toBe(8000);
  });

  it('is found out when it is another inode, or has one wrong bit', () => {
    const superblock = superblockFixture();
    fc.assert(
      fc.property(inodes, fc.nat(255), fc.nat(7), (inode, at, bit) => {
        const bytes = new Uint8Array(256);
        writeInode(bytes, inode, superblock, 12);
        expect(() => verifyInode(bytes, superblock, 13)).toThrow(CorruptFilesystemError);
        bytes[at] = bytes[at]! ^ (1 << bit);
        // A changed extra_isize may take the upper half of the checksum out of view.
        fc.pre(at !== 0x80 && at !== 0x81);
        expect(() => verifyInode(bytes, superblock, 12)).toThrow(CorruptFilesystemError);
      }),
    );
  });

  it('cannot say that it is longer than it is', () => {
    const bytes = new Uint8Array(256);
    bytes[0x80] = 132;
    expect(() => parseInode(bytes, superblockFixture())).toThrow(CorruptFilesystemError);
  });
});

describe('device number', () => {
  it('is read back as it was written', () => {
    fc.assert(
      fc.property(fc.nat(0xfff), fc.nat(0xfffff), (major, minor) => {
        fc.pre(major !== 0 || minor !== 0);
        expect(parseDeviceNumber(serializeDeviceNumber({ major, minor }))).toEqual({ major, minor });
      }),
    );
  });
});

function sample(): Inode {
  return fc.sample(inodes, { numRuns: 1, seed: 1 })[0]!;
}
