import type { ByteRange } from '../../block-device/block-device';
import { readU16BE, readU32BE } from '../../bytes/big-endian';
import { CorruptFilesystemError } from '../errors';
import type { StampLayout } from './block-stamp';
import { RoCompat } from './features';
import { readGroupInodes } from './group-headers';
import type { Volume } from './volume';

export const INODES_PER_CHUNK = 64;
/** One bit of a hole mask stands for so many inodes. */
const INODES_PER_HOLE_BIT = 4;

/** Sixty-four inodes that follow each other, of which some may be free, and some not even have a place on the disk. */
export interface InodeChunk {
  readonly group: number;
  /** Number of the first within the group. */
  readonly index: number;
  /** Bits of free inodes 0 to 31 and 32 to 63. */
  readonly freeLow: number;
  readonly freeHigh: number;
  /** One bit for every four inodes that have no place. */
  readonly holes: number;
}

/** The trees of a group's inodes: of all, and of those chunks that have free ones. */
type TreeKind = 'all' | 'free';
const BLOCK_MAGIC = { all: { v4: 0x49414254, v5: 0x49414233 }, free: { v4: 0x46494254, v5: 0x46494233 } };
const HEADER_BYTES = { v4: 16, v5: 56 };
const RECORD_BYTES = 16;
const MAX_LEVELS = 12;

const INODE_TREE_STAMP: StampLayout = {
  what: 'inode tree block',
  crc: 52,
  address: 16,
  uuid: 32,
  owner: 48,
  ownerBytes: 4,
};

interface TreeNode {
  readonly kind: TreeKind;
  readonly group: number;
  /** Levels below this one. */
  readonly level: number;
  readonly block: number;
}

/**
 * Every chunk of inodes of a volume, group by group in the order of the disk.
 * @throws CorruptFilesystemError
 */
export function inodeChunks(volume: Volume): InodeChunk[] {
  const chunks: InodeChunk[] = [];
  const { blocksCount, inodesPerBlockBits, groupCount } = volume.superblock;
  const room = (blocksCount * 2 ** inodesPerBlockBits) / INODES_PER_CHUNK + groupCount;
  walkTrees(volume, 'all', (leaf) => {
    takeChunks(volume, leaf, chunks);
    if (chunks.length > room) throw new CorruptFilesystemError('more inodes than fit', { room });
  });
  return inOrder(chunks);
}

/** How many blocks the tree of free inodes of each group has. @throws CorruptFilesystemError */
export function freeTreeBlocks(volume: Volume): number[] {
  if (volume.superblock.featureRoCompat & RoCompat.inobtcount) {
    return [...readGroupInodes(volume)].map((group) => group.freeTreeBlocks);
  }
  return walkTrees(volume, 'free', () => undefined);
}

/**
 * Walks one of the trees of every group. All groups' trees are read together, level by level, each level in one fetch.
 * @returns how many blocks each has
 */
function walkTrees(volume: Volume, kind: TreeKind, takeLeaf: (leaf: NodeContent) => void): number[] {
  const blocks: number[] = [];
  let nodes: TreeNode[] = [];
  for (const header of readGroupInodes(volume)) {
    const { group } = header;
    const { root, levels } = kind === 'all' ? header : header.freeTree;
    if (levels < 1 || levels > MAX_LEVELS) {
      throw new CorruptFilesystemError('height of an inode tree', { group, levels });
    }
    nodes.push({ kind, group, level: levels - 1, block: root });
    blocks.push(0);
  }
  const seen = new Set<number>();
  while (nodes.length > 0) {
    const ranges = nodes.map(({ group, block }) => rangeOf(volume, group, block));
    volume.need(ranges);
    const next: TreeNode[] = [];
    for (const [position, node] of nodes.entries()) {
      const range = ranges[position]!;
      // A tree that leads to a block twice would grow without end.
      if (seen.has(range.offsetBytes))
        throw new CorruptFilesystemError('inode tree with a loop', { ...node });
      seen.add(range.offsetBytes);
      blocks[node.group]! += 1;
      const content = contentOf(
        volume,
        node,
        volume.block({ ...range, owner: node.group }, INODE_TREE_STAMP),
      );
      if (node.level === 0) takeLeaf(content);
      else takeChildren(content, next);
    }
    nodes = next;
  }
  return blocks;
}

function rangeOf(volume: Volume, group: number, block: number): ByteRange {
  return { offsetBytes: volume.groupOffsetBytes(group, block), lengthBytes: volume.superblock.blockSize };
}

function contentOf({ superblock }: Volume, node: TreeNode, bytes: Uint8Array): NodeContent {
  const form = superblock.hasStamps ? 'v5' : 'v4';
  const header = HEADER_BYTES[form];
  const count = readU16BE(bytes, 6);
  const entryBytes = node.level === 0 ? RECORD_BYTES : 8;
  const isRight =
    readU32BE(bytes, 0) === BLOCK_MAGIC[node.kind][form] &&
    readU16BE(bytes, 4) === node.level &&
    header + count * entryBytes <= bytes.length;
  if (!isRight) throw new CorruptFilesystemError('block of an inode tree', { ...node, count });
  return { node, bytes, count, header };
}

interface NodeContent {
  readonly node: TreeNode;
  readonly bytes: Uint8Array;
  readonly count: number;
  readonly header: number;
}

function takeChildren({ node, bytes, count, header }: NodeContent, into: TreeNode[]): void {
  const at = header + Math.floor((bytes.length - header) / 8) * 4;
  for (let child = 0; child < count; child++) {
    into.push({ ...node, level: node.level - 1, block: readU32BE(bytes, at + child * 4) });
  }
}

function takeChunks({ superblock }: Volume, leaf: NodeContent, into: InodeChunk[]): void {
  const { node, bytes, count, header } = leaf;
  for (let at = header; at < header + count * RECORD_BYTES; at += RECORD_BYTES) {
    into.push({
      group: node.group,
      index: readU32BE(bytes, at),
      holes: superblock.hasSparseInodes ? readU16BE(bytes, at + 4) : 0,
      freeHigh: readU32BE(bytes, at + 8),
      freeLow: readU32BE(bytes, at + 12),
    });
  }
}

/** Chunks that overlap would multiply their inodes. */
function inOrder(chunks: InodeChunk[]): InodeChunk[] {
  chunks.sort((a, b) => a.group - b.group || a.index - b.index);
  for (const [position, chunk] of chunks.entries()) {
    const before = chunks[position - 1];
    if (before?.group === chunk.group && before.index + INODES_PER_CHUNK > chunk.index) {
      throw new CorruptFilesystemError('inode chunks overlap', { group: chunk.group, index: chunk.index });
    }
  }
  return chunks;
}

/** Whether the inode at `slot` of a chunk is in use. */
export function isInUse({ freeLow, freeHigh, holes }: InodeChunk, slot: number): boolean {
  const free = slot < 32 ? (freeLow >>> slot) & 1 : (freeHigh >>> (slot - 32)) & 1;
  return free === 0 && ((holes >>> Math.floor(slot / INODES_PER_HOLE_BIT)) & 1) === 0;
}
