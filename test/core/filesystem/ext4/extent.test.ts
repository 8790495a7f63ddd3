import fc from 'fast-check';
import { ImageElvesError } from '../../../../core/errors';
import { CorruptFilesystemError } from '../../../../core/filesystem/errors';
import {
  EXTENT_MAX_BLOCKS,
  extentBlockCapacity,
  parseExtentNode,
  renewExtentBlockChecksum,
  verifyExtentBlock,
  writeExtentNode,
  type Extent,
} from '../../../../core/filesystem/ext4/extent';

const BLOCK = 1024;
const maxEntries = extentBlockCapacity(BLOCK);

/** Runs in order, made of gaps and lengths. */
const extentLists: fc.Arbitrary<Extent[]> = fc
  .array(
    fc.tuple(
      fc.nat(1000),
      fc.integer({ min: 1, max: EXTENT_MAX_BLOCKS - 1 }),
      fc.nat(2 ** 48 - 1),
      fc.boolean(),
    ),
    {
      maxLength: maxEntries,
    },
  )
  .map((runs) => {
    let next = 0;
    return runs.map(([gap, blocks, physicalBlock, unwritten]) => {
      const extent = { logicalBlock: next + gap, physicalBlock, blocks, unwritten };
      next = extent.logicalBlock + blocks;
      return extent;
    });
  });

describe('extent node', () => {
  it('is read back as it was written', () => {
    fc.assert(
      fc.property(extentLists, fc.nat(0xffffffff), (extents, generation) => {
        const block = new Uint8Array(BLOCK);
        const node = { depth: 0 as const, maxEntries, generation, extents };
        writeExtentNode(block, node);
        expect(parseExtentNode(block)).toEqual(node);
      }),
    );
  });

  it('of indexes is read back as it was written', () => {
    const indexes = [
      { logicalBlock: 0, childBlock: 2 ** 40 + 3 },
      { logicalBlock: 77, childBlock: 9 },
    ];
    const node = { depth: 2, maxEntries: 4, generation: 0, indexes };
    const root = new Uint8Array(60);
    writeExtentNode(root, node);
    expect(parseExtentNode(root)).toEqual(node);
  });

  it('holds the longest extent of both kinds', () => {
    const extents = [
      { logicalBlock: 0, physicalBlock: 1, blocks: EXTENT_MAX_BLOCKS, unwritten: false },
      { logicalBlock: EXTENT_MAX_BLOCKS, physicalBlock: 1, blocks: EXTENT_MAX_BLOCKS - 1, unwritten: true },
    ];
    const root = new Uint8Array(60);
    writeExtentNode(root, { depth: 0, maxEntries: 4, generation: 0, extents });
    expect(parseExtentNode(root)).toMatchObject({ extents });
  });

  it('that overlaps is refused', () => {
    const root = new Uint8Array(60);
    const extents = [
      { logicalBlock: 0, physicalBlock: 1, blocks: 5, unwritten: false },
      { logicalBlock: 4, physicalBlock: 9, blocks: 5, unwritten: false },
    ];
    writeExtentNode(root, { depth: 0, maxEntries: 4, generation: 0, extents });
    expect(() => parseExtentNode(root)).toThrow(CorruptFilesystemError);
  });

  it('of any bytes is parsed or refused', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 58, maxLength: 58 }), fc.boolean(), (bytes, withMagic) => {
        const node = Uint8Array.of(withMagic ? 0x0a : 0, 0xf3, ...bytes);
        try {
          const parsed = parseExtentNode(node);
          expect(parsed.depth).toBeLessThanOrEqual(5);
        } catch (error) {
          expect(error).toBeInstanceOf(ImageElvesError);
        }
      }),
    );
  });

  it('carries its checksum behind the last possible entry', () => {
    const block = new Uint8Array(BLOCK);
    writeExtentNode(block, { depth: 0, maxEntries, generation: 0, extents: [] });
    renewExtentBlockChecksum(block, 42);
    verifyExtentBlock(block, 42, 7);
    expect(() => verifyExtentBlock(block, 43, 7)).toThrow(CorruptFilesystemError);
  });
});
