import fc from 'fast-check';
import { ImageElvesError } from '../../../../core/errors';
import { CorruptFilesystemError } from '../../../../core/filesystem/errors';
import { aclFromDisk, aclToDisk } from '../../../../core/filesystem/ext4/acl';
import {
  blockXattrCapacity,
  inodeXattrCapacity,
  parseInodeXattrs,
  parseXattrBlock,
  serializeXattrBlock,
  verifyXattrBlock,
  writeInodeXattrs,
  writeXattrReferences,
  xattrBytes,
  type XattrEntry,
} from '../../../../core/filesystem/ext4/xattr';
import { fullXattrName, splitXattrName } from '../../../../core/filesystem/ext4/xattr-name';
import { superblockFixture } from '../../../support/ext4-superblock';

const superblock = superblockFixture();

const entryLists: fc.Arbitrary<XattrEntry[]> = fc.uniqueArray(
  fc.record({
    nameIndex: fc.constantFrom(1, 4, 6),
    suffix: fc.uint8Array({ minLength: 1, maxLength: 40 }),
    value: fc.uint8Array({ maxLength: 200 }),
  }),
  {
    maxLength: 6,
    selector: ({ nameIndex, suffix }) => `${nameIndex} ${Buffer.from(suffix).toString('hex')}`,
  },
);

const byName = (entries: readonly XattrEntry[]): XattrEntry[] =>
  [...entries].sort(
    (a, b) =>
      a.nameIndex - b.nameIndex || a.suffix.length - b.suffix.length || Buffer.compare(a.suffix, b.suffix),
  );

describe('extended attributes', () => {
  it('in a block are read back as they were written, in the order of the kernel', () => {
    fc.assert(
      fc.property(entryLists, fc.nat(2 ** 40), (entries, number) => {
        expect(xattrBytes(entries)).toBeLessThanOrEqual(blockXattrCapacity(4096));
        const block = serializeXattrBlock(entries, 3, superblock, number);
        verifyXattrBlock(block, superblock, number);
        expect(parseXattrBlock(block)).toMatchObject({ references: 3, entries: byName(entries) });
        writeXattrReferences(block, 4, superblock, number);
        verifyXattrBlock(block, superblock, number);
        expect(() => verifyXattrBlock(block, superblock, number + 1)).toThrow(CorruptFilesystemError);
      }),
    );
  });

  it('in an inode are read back as they were written, when they fit', () => {
    fc.assert(
      fc.property(entryLists, (entries) => {
        const capacity = inodeXattrCapacity(superblock, 32);
        fc.pre(xattrBytes(entries) <= capacity);
        const bytes = new Uint8Array(256).fill(0x55);
        writeInodeXattrs(bytes, 32, entries);
        expect(parseInodeXattrs(bytes, 32)).toEqual(entries);
        expect(bytes.slice(0, 160)).toEqual(new Uint8Array(160).fill(0x55));
      }),
    );
  });

  it('of any bytes are parsed or refused', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 92, maxLength: 92 }), (bytes) => {
        const inode = new Uint8Array(256);
        inode.set([0x00, 0x00, 0x02, 0xea, ...bytes], 160);
        try {
          parseInodeXattrs(inode, 32);
        } catch (error) {
          expect(error).toBeInstanceOf(ImageElvesError);
        }
      }),
    );
  });

  it.each([
    ['user.a', 1, 'a'],
    ['trusted.b.c', 4, 'b.c'],
    ['security.selinux', 6, 'selinux'],
    ['system.posix_acl_access', 2, ''],
    ['system.posix_acl_default', 3, ''],
    ['gnu.translator', 10, 'translator'],
  ])('%s has its prefix as a number', (name, nameIndex, suffix) => {
    const split = splitXattrName(name)!;
    expect([split.nameIndex, Buffer.from(split.suffix).toString()]).toEqual([nameIndex, suffix]);
    expect(fullXattrName(split)).toBe(name);
  });

  it.each([7, 9, 11])('number %i is of the kernel alone', (nameIndex) => {
    expect(fullXattrName({ nameIndex, suffix: Buffer.from('data') })).toBeUndefined();
  });

  it.each(['user.', 'other.name', 'security', 'system.data', ''])('%p is in no namespace', (name) => {
    expect(splitXattrName(name)).toBeUndefined();
  });
});

describe('ACL', () => {
  // getfacl: user::rw-, user:1000:r-x, group::r--, mask::rwx, other::r--
  const value = Buffer.from(
    '02000000' +
      '01000600ffffffff' +
      '02000500e8030000' +
      '04000400ffffffff' +
      '10000700ffffffff' +
      '20000400ffffffff',
    'hex',
  );
  const disk = Buffer.from(
    '01000000' + '01000600' + '02000500e8030000' + '04000400' + '10000700' + '20000400',
    'hex',
  );

  it('is longer through getxattr(2) than on the disk', () => {
    expect(Buffer.from(aclFromDisk(disk))).toEqual(value);
    expect(Buffer.from(aclToDisk(value))).toEqual(disk);
  });

  it.each([
    ['no version', Buffer.alloc(2)],
    ['another version', Buffer.from('02000000', 'hex')],
    ['an unknown tag', Buffer.from('0100000003000000', 'hex')],
    ['half an entry', disk.subarray(0, 10)],
  ])('with %s is refused', (_what, bytes) => {
    expect(() => aclFromDisk(bytes)).toThrow(CorruptFilesystemError);
  });
});
