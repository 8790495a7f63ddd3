import { FaultingCache } from '../../../../core/block-device/faulting-cache';
import { descriptorOffsetBytes } from '../../../../core/filesystem/ext4/descriptor-location';
import { directoryBlocks } from '../../../../core/filesystem/ext4/directory-entries';
import {
  hasDirectoryTail,
  parseDirectoryBlock,
  renewDirectoryChecksum,
  writeDirectoryEntry,
} from '../../../../core/filesystem/ext4/directory';
import {
  parseExtentNode,
  renewExtentBlockChecksum,
  writeExtentNode,
} from '../../../../core/filesystem/ext4/extent';
import { fileExtents, fileMapBlocks } from '../../../../core/filesystem/ext4/file-extents';
import {
  bitmapChecksum,
  BLOCK_UNINIT,
  INODE_UNINIT,
  parseGroupDescriptor,
  writeGroupDescriptor,
} from '../../../../core/filesystem/ext4/group-descriptor';
import { directoryHash } from '../../../../core/filesystem/ext4/directory-hash';
import {
  hashVersionOf,
  htreeNodeLimit,
  htreeRootLimit,
  isHtreeNode,
  parseHtreeNode,
  parseHtreeRoot,
  renewHtreeChecksum,
  writeHtreeNode,
  writeHtreeRoot,
  type HtreeEntry,
} from '../../../../core/filesystem/ext4/htree';
import {
  InodeFlag,
  inodeChecksumSeed,
  S_IFDIR,
  S_IFMT,
  S_IFREG,
  writeInode,
  type Inode,
} from '../../../../core/filesystem/ext4/inode';
import { openVolume } from '../../../../core/filesystem/ext4/open-ext4';
import {
  SUPERBLOCK_BYTES,
  SUPERBLOCK_OFFSET_BYTES,
  writeSuperblock,
} from '../../../../core/filesystem/ext4/superblock';
import { VolumeReader } from '../../../../core/filesystem/ext4/volume-reader';
import { parseXattrBlock, serializeXattrBlock } from '../../../../core/filesystem/ext4/xattr';
import { FileBlockDevice } from '../../../support/file-block-device';
import { FILL_TREE, ImageFolder, makeImage, onMountedImage } from '../../../support/mounted-image';

jest.setTimeout(60_000);

/** What the kernel and mkfs wrote is the judge: each structure, parsed and written over itself, must not change. */
describe.each([
  ['Debian 12', ['-b', '4096']],
  ['1 KiB blocks, seed and orphan file', ['-b', '1024', '-O', 'metadata_csum_seed,orphan_file']],
  ['gdt_csum, 32-bit', ['-b', '1024', '-O', '^metadata_csum,^64bit,uninit_bg']],
  ['128-byte inodes', ['-b', '4096', '-I', '128']],
])('structures written by the kernel: %s', (_what, options) => {
  let folder: ImageFolder;
  let device: FileBlockDevice;
  let cache: FaultingCache;
  let volume: VolumeReader;
  let inodes: [number: number, inode: Inode][];

  beforeAll(async () => {
    folder = await ImageFolder.make();
    const file = folder.image('image');
    await makeImage(file, 96, ['mkfs.ext4', '-q', '-F', ...options]);
    await onMountedImage(file, `${FILL_TREE} 3000`);
    device = await FileBlockDevice.open(file);
    cache = new FaultingCache(device);
    const { superblock } = await openVolume(cache);
    volume = new VolumeReader(cache, superblock);
    await cache.prefetch([{ offsetBytes: 0, lengthBytes: device.sizeBytes }]);
    inodes = usedInodes(volume);
  });
  afterAll(async () => {
    await device[Symbol.asyncDispose]();
    await folder[Symbol.asyncDispose]();
  });

  it('superblock', () => {
    const bytes = cache.read(SUPERBLOCK_OFFSET_BYTES, SUPERBLOCK_BYTES);
    const written = bytes.slice();
    const { freeBlocksCount, freeInodesCount, writeTime, state, lastOrphan } = volume.superblock;
    writeSuperblock(written, { freeBlocksCount, freeInodesCount, writeTime, state, lastOrphan });
    expect(written).toEqual(bytes);
  });

  it('group descriptors and the checksums of bitmaps', () => {
    const { superblock } = volume;
    for (let group = 0; group < superblock.groupCount; group++) {
      const bytes = cache.read(descriptorOffsetBytes(superblock, group), superblock.descriptorSize);
      const descriptor = parseGroupDescriptor(bytes, superblock);
      const written = bytes.slice();
      writeGroupDescriptor(written, descriptor, superblock, group);
      expect([group, written]).toEqual([group, bytes.slice()]);
      if (!superblock.hasMetadataChecksums) continue;
      if (!(descriptor.flags & BLOCK_UNINIT)) {
        const checksum = bitmapChecksum(
          volume.block(descriptor.blockBitmap),
          superblock.clustersPerGroup,
          superblock,
        );
        expect(checksum).toBe(descriptor.blockBitmapChecksum);
      }
      if (!(descriptor.flags & INODE_UNINIT)) {
        const checksum = bitmapChecksum(
          volume.block(descriptor.inodeBitmap),
          superblock.inodesPerGroup,
          superblock,
        );
        expect(checksum).toBe(descriptor.inodeBitmapChecksum);
      }
    }
  });

  it('inodes', () => {
    for (const [number, inode] of inodes) {
      const bytes = volume.inodeBytes(number);
      const written = bytes.slice();
      writeInode(written, inode, volume.superblock, number);
      expect([number, same(written, bytes)]).toEqual([number, true]);
    }
    expect(inodes.length).toBeGreaterThan(3000);
  });

  it('extent nodes', () => {
    let nodes = 0;
    for (const [number, inode] of inodes) {
      const hasTree = (inode.flags & InodeFlag.EXTENTS) !== 0;
      if (!hasTree) continue;
      const root = inode.block.slice();
      writeExtentNode(root, parseExtentNode(root));
      expect([number, same(root, inode.block)]).toEqual([number, true]);
      for (const block of fileMapBlocks(volume, number, inode)) {
        const bytes = volume.block(block);
        const written = bytes.slice();
        writeExtentNode(written, parseExtentNode(bytes));
        if (volume.superblock.hasMetadataChecksums) renewExtentBlockChecksum(written, seedOf(number, inode));
        expect(same(written, bytes)).toBe(true);
        nodes++;
      }
    }
    expect(nodes).toBeGreaterThan(4);
  });

  it('directory blocks, index blocks, and names in the leaf that their hash says', () => {
    let [leaves, indexBlocks, hashed] = [0, 0, 0];
    for (const [number, inode] of inodes) {
      if ((inode.mode & S_IFMT) !== S_IFDIR) continue;
      const seed = seedOf(number, inode);
      const extents = fileExtents(volume, number, inode);
      const blocks = directoryBlocks(volume, { number, inode, extents });
      const isIndexed = (inode.flags & InodeFlag.INDEX) !== 0;
      const inner = isIndexed ? indexBlocksOf(blocks) : [];
      blocks.forEach((block, logicalBlock) => {
        const bytes = volume.block(block);
        const written = bytes.slice();
        if (inner.includes(logicalBlock)) {
          expect(logicalBlock === 0 || isHtreeNode(bytes)).toBe(true);
          if (logicalBlock === 0) writeHtreeRoot(written, parseHtreeRoot(bytes));
          else writeHtreeNode(written, parseHtreeNode(bytes));
          if (volume.superblock.hasMetadataChecksums) renewHtreeChecksum(written, seed, logicalBlock === 0);
          const limit = (logicalBlock === 0 ? htreeRootLimit : htreeNodeLimit)(volume.superblock);
          expect(parseHtreeNodeOrRoot(bytes, logicalBlock).limit).toBe(limit);
          indexBlocks++;
        } else {
          for (const entry of parseDirectoryBlock(bytes)) writeDirectoryEntry(written, entry);
          if (hasDirectoryTail(written)) renewDirectoryChecksum(written, seed);
          leaves++;
        }
        expect(same(written, bytes)).toBe(true);
      });
      if (isIndexed) hashed += checkHashes(blocks);
    }
    expect(leaves).toBeGreaterThan(200);
    expect(indexBlocks).toBeGreaterThanOrEqual(3);
    expect(hashed).toBeGreaterThan(3000);
  });

  it('attribute blocks', () => {
    let blocks = 0;
    for (const [, inode] of inodes) {
      if (inode.xattrBlock === 0) continue;
      const { references, hash, entries } = parseXattrBlock(volume.block(inode.xattrBlock));
      const again = parseXattrBlock(
        serializeXattrBlock(entries, references, volume.superblock, inode.xattrBlock),
      );
      // The kernel keeps the order of its search too, and by the hash it finds blocks to share.
      expect(again).toEqual({ references, hash, entries });
      blocks++;
    }
    expect(blocks).toBeGreaterThan(2);
  });

  function seedOf(number: number, inode: Inode): number {
    return inodeChecksumSeed(volume.superblock, number, inode.generation);
  }

  /** The root and, when it is of two levels, the nodes below it, as numbers in the directory. */
  function indexBlocksOf(blocks: readonly number[]): number[] {
    const { indirectLevels, entries } = parseHtreeRoot(volume.block(blocks[0]!));
    expect(indirectLevels).toBeLessThan(2);
    return indirectLevels === 0 ? [0] : [0, ...entries.map(({ block }) => block)];
  }

  /** Every name must hash into the range that the index gives its leaf. @returns how many names */
  function checkHashes(blocks: readonly number[]): number {
    const root = parseHtreeRoot(volume.block(blocks[0]!));
    const version = hashVersionOf(root.hashVersion, volume.superblock);
    let leaves: readonly HtreeEntry[] = root.entries;
    for (let level = 0; level < root.indirectLevels; level++) {
      leaves = leaves.flatMap(({ hash, block }) =>
        parseHtreeNode(volume.block(blocks[block]!)).entries.map((entry, index) =>
          index === 0 ? { hash, block: entry.block } : entry,
        ),
      );
    }
    let names = 0;
    leaves.forEach(({ hash: low, block }, index) => {
      const high = leaves[index + 1]?.hash ?? 0x100000000;
      for (const { inode, name } of parseDirectoryBlock(volume.block(blocks[block]!))) {
        if (inode === 0) continue;
        const { major } = directoryHash(name, version, volume.superblock.hashSeed)!;
        // The lowest bit of a boundary says that its hash may have begun in the leaf before.
        expect(major).toBeGreaterThanOrEqual(low - (low & 1));
        expect(major).toBeLessThanOrEqual(high);
        names++;
      }
    });
    return names;
  }
});

function parseHtreeNodeOrRoot(block: Uint8Array, logicalBlock: number): { limit: number } {
  return logicalBlock === 0 ? parseHtreeRoot(block) : parseHtreeNode(block);
}

function usedInodes(volume: VolumeReader): [number, Inode][] {
  const { superblock } = volume;
  const found: [number, Inode][] = [];
  for (let group = 0; group < superblock.groupCount; group++) {
    for (let index = 0; index < volume.usedInodes(group); index++) {
      const number = group * superblock.inodesPerGroup + index + 1;
      const inode = volume.inode(number);
      const type = inode.mode & S_IFMT;
      if (inode.links > 0 && (type === S_IFREG || type === S_IFDIR)) found.push([number, inode]);
    }
  }
  return found;
}

/** Much faster than jest's own comparison, which matters for thousands of blocks. */
function same(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}
