import fc from 'fast-check';
import { writeU16, writeU32 } from '../../../../core/bytes/little-endian';
import { CorruptFilesystemError, UnsupportedFeatureError } from '../../../../core/filesystem/errors';
import {
  checkReadable,
  checkWritable,
  Compat,
  EXT4_FEATURES,
  Incompat,
  RoCompat,
} from '../../../../core/filesystem/ext4/features';
import { RefusedFilesystemError } from '../../../../core/filesystem/write-errors';
import {
  parseSuperblock,
  verifySuperblock,
  writeSuperblock,
} from '../../../../core/filesystem/ext4/superblock';
import { ImageElvesError } from '../../../../core/errors';
import { superblockBytes, superblockFixture } from '../../../support/ext4-superblock';

describe('superblock', () => {
  it('takes the changes of a writer and keeps its checksum', () => {
    fc.assert(
      fc.property(
        fc.nat(2 ** 40),
        fc.nat(0xffffffff),
        fc.nat(0xffff),
        (freeBlocksCount, freeInodesCount, state) => {
          const bytes = superblockBytes();
          writeSuperblock(bytes, { freeBlocksCount, freeInodesCount, state, lastOrphan: 12 });
          verifySuperblock(bytes);
          expect(parseSuperblock(bytes)).toMatchObject({
            freeBlocksCount,
            freeInodesCount,
            state,
            lastOrphan: 12,
          });
        },
      ),
    );
  });

  it('with one wrong bit anywhere is found out', () => {
    fc.assert(
      fc.property(fc.nat(1023), fc.nat(7), (at, bit) => {
        const bytes = superblockBytes();
        bytes[at] = bytes[at]! ^ (1 << bit);
        // Without the feature bit of checksums there is none to fail.
        fc.pre(at < 0x64 || at > 0x67);
        expect(() => verifySuperblock(bytes)).toThrow(CorruptFilesystemError);
      }),
    );
  });

  it('never lets impossible geometry through', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(0, 4, 0x14, 0x18, 0x1c, 0x20, 0x28, 0x54),
        fc.nat(0xffffffff),
        (offset, value) => {
          const bytes = superblockBytes();
          writeU32(bytes, offset, value);
          try {
            const superblock = parseSuperblock(bytes);
            expect(superblock.groupCount * superblock.inodesPerGroup).toBe(superblock.inodesCount);
            expect(superblock.blocksPerGroup).toBeGreaterThan(0);
          } catch (error) {
            expect(error).toBeInstanceOf(ImageElvesError);
          }
        },
      ),
    );
  });

  it.each([0, 1, 127, 129, 8192])('refuses inodes of %i bytes', (inodeSize) => {
    const bytes = superblockBytes();
    writeU16(bytes, 0x58, inodeSize);
    expect(() => parseSuperblock(bytes)).toThrow(CorruptFilesystemError);
  });
});

describe('feature gate', () => {
  it('reads and writes what distributions make', () => {
    for (const features of [
      superblockFixture(),
      superblockFixture({ incompat: 0x22c2, compat: 0x103c }),
      superblockFixture({ incompat: 0x42, roCompat: 0x1b }),
    ]) {
      expect(() => checkReadable(features)).not.toThrow();
      expect(() => checkWritable(features)).not.toThrow();
    }
  });

  it('names what it refuses, unknown bits too', () => {
    const strange = superblockFixture({ incompat: 0x2c2 | Incompat.dirdata | 0x400000 });
    expect(() => checkReadable(strange)).toThrow(
      new UnsupportedFeatureError(['dirdata', 'incompat 0x400000'], 'read'),
    );
    expect(() => checkWritable(superblockFixture({ roCompat: 0x46b | 0x20000000 }))).toThrow(
      RefusedFilesystemError.ofFeatures('ext4', ['ro_compat 0x20000000']),
    );
    expect(() => checkWritable(superblockFixture({ compat: 0x3c | 0x80000000 }))).toThrow(
      new UnsupportedFeatureError(['compat 0x80000000'], 'write'),
    );
  });

  it.each(EXT4_FEATURES.filter(({ word }) => word !== undefined))(
    'does as the table says: $word $name, read $read, write $write',
    ({ word, bit = 0, name, read, write }) => {
      const features = superblockFixture({
        compat: 0x3c | (word === 'compat' ? bit : 0),
        incompat: 0x2c2 | (word === 'incompat' ? bit : 0),
        roCompat: 0x46b | (word === 'ro_compat' ? bit : 0),
      });
      expect(refusal(() => checkReadable(features))).toEqual(
        read === 'direct' ? undefined : new UnsupportedFeatureError([name], 'read'),
      );
      const byWrite = {
        direct: undefined,
        kernel: new UnsupportedFeatureError([name], 'write'),
        refused: RefusedFilesystemError.ofFeatures('ext4', [name]),
      };
      expect(refusal(() => checkWritable(features))).toEqual(byWrite[write]);
    },
  );

  it('has a row for every bit that has a name, and no bit twice', () => {
    const named =
      Object.values(Compat).length + Object.values(Incompat).length + Object.values(RoCompat).length;
    const bits = EXT4_FEATURES.filter(({ bit }) => bit !== undefined).map(
      ({ word, bit }) => `${word} ${bit}`,
    );
    expect([bits.length, new Set(bits).size]).toEqual([named, named]);
  });
});

function refusal(check: () => void): unknown {
  try {
    check();
    return undefined;
  } catch (error) {
    return error;
  }
}
