import fc from 'fast-check';
import { ImageElvesError } from '../../../../core/errors';
import { CorruptFilesystemError } from '../../../../core/filesystem/errors';
import {
  directoryEntryBytes,
  hasDirectoryTail,
  parseDirectoryBlock,
  renewDirectoryChecksum,
  verifyDirectoryBlock,
  writeDirectoryEntry,
  writeDirectoryTail,
  type RawDirectoryEntry,
} from '../../../../core/filesystem/ext4/directory';
import {
  htreeNodeLimit,
  htreeRootLimit,
  isHtreeNode,
  parseHtreeNode,
  parseHtreeRoot,
  renewHtreeChecksum,
  verifyHtreeBlock,
  writeHtreeNode,
  writeHtreeRoot,
} from '../../../../core/filesystem/ext4/htree';
import { superblockFixture } from '../../../support/ext4-superblock';

const names = fc.uint8Array({ minLength: 1, maxLength: 255 });

/** Puts the names one behind the other, the last one's record up to `end`. */
function fill(block: Uint8Array, end: number, list: readonly Uint8Array[]): RawDirectoryEntry[] {
  let offset = 0;
  return list.map((name, index) => {
    const bytes = directoryEntryBytes(name.length);
    const recordLength = index === list.length - 1 ? end - offset : bytes;
    const entry = { offset, recordLength, inode: index + 11, type: 1 + (index % 7), name };
    writeDirectoryEntry(block, entry);
    offset += bytes;
    return entry;
  });
}

describe('directory block', () => {
  it.each([1024, 4096, 65536])('of %i bytes is read back as it was written', (size) => {
    fc.assert(
      fc.property(fc.array(names, { minLength: 1, maxLength: 3 }), fc.boolean(), (list, withTail) => {
        const block = new Uint8Array(size);
        const entries = fill(block, withTail ? size - 12 : size, list);
        if (withTail) writeDirectoryTail(block);
        expect(parseDirectoryBlock(block)).toEqual(entries);
        expect(hasDirectoryTail(block)).toBe(withTail);
      }),
    );
  });

  it('of one unused record over all of 64 KiB', () => {
    const block = new Uint8Array(65536);
    const entry = { offset: 0, recordLength: 65536, inode: 0, type: 0, name: new Uint8Array() };
    writeDirectoryEntry(block, entry);
    expect(parseDirectoryBlock(block)).toEqual([entry]);
  });

  it('of any bytes is parsed or refused, and ends', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 64, maxLength: 64 }), (bytes) => {
        try {
          const entries = parseDirectoryBlock(bytes);
          expect(entries.reduce((sum, { recordLength }) => sum + recordLength, 0)).toBeLessThanOrEqual(64);
        } catch (error) {
          expect(error).toBeInstanceOf(ImageElvesError);
        }
      }),
    );
  });

  it('without its tail, or with a wrong one, fails its check', () => {
    const block = new Uint8Array(1024);
    fill(block, 1012, [Buffer.from('name')]);
    expect(() => verifyDirectoryBlock(block, 5, 1)).toThrow(CorruptFilesystemError);
    writeDirectoryTail(block);
    renewDirectoryChecksum(block, 5);
    verifyDirectoryBlock(block, 5, 1);
    expect(() => verifyDirectoryBlock(block, 6, 1)).toThrow(CorruptFilesystemError);
  });
});

describe('directory index', () => {
  const superblock = superblockFixture({ blockSize: 1024 });

  it('limits are those of the kernel for 1 KiB blocks with checksums', () => {
    expect([htreeRootLimit(superblock), htreeNodeLimit(superblock)]).toEqual([123, 126]);
  });

  it('is read back as it was written', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat(0x7fffffff), { maxLength: 120 }), fc.nat(5), (hashes, version) => {
        const entries = [
          { hash: 0, block: 1 },
          ...hashes.sort((a, b) => a - b).map((hash, index) => ({ hash: hash * 2, block: index + 2 })),
        ];
        const root = { limit: 123, entries, hashVersion: version, indirectLevels: 1, parentInode: 2 };
        const node = { limit: 126, entries };
        const [rootBlock, nodeBlock] = [new Uint8Array(1024), new Uint8Array(1024)];
        writeHtreeRoot(rootBlock, root);
        writeHtreeNode(nodeBlock, node);
        expect(parseHtreeRoot(rootBlock)).toEqual(root);
        expect(parseHtreeNode(nodeBlock)).toEqual(node);
        expect(isHtreeNode(nodeBlock)).toBe(true);
        renewHtreeChecksum(nodeBlock, 9, false);
        verifyHtreeBlock(nodeBlock, 9, false, 1);
        expect(() => verifyHtreeBlock(nodeBlock, 8, false, 1)).toThrow(CorruptFilesystemError);
      }),
    );
  });

  it('with more entries than it has room for is refused', () => {
    const block = new Uint8Array(1024);
    writeHtreeNode(block, { limit: 126, entries: [{ hash: 0, block: 1 }] });
    block[10] = 127;
    expect(() => parseHtreeNode(block)).toThrow(CorruptFilesystemError);
  });
});
