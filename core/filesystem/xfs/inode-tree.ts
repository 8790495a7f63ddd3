import type { ByteRange } from '../../block-device/block-device';
import { readU16BE, readU32BE } from '../../bytes/big-endian';
import { CorruptFilesystemError } from '../errors';
import type { StampLayout } from './block-stamp';
import { type GroupInodes, readGroupInodes } from './group-headers';
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

const BLOCK_MAGIC = { v4: 0x49414254, v5: 0x49414233 };
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

interface TreeLevel {
  readonly group: number;
  /** Levels below this one. */
  readonly level: number;
  readonly block: number;
}

/**
 * Every chunk of inodes of a volume, group by group in the order of the disk. All groups' trees are read together, level
 * by level, each level in one fetch.
 * @throws CorruptFilesystemError
 */
export function inodeChunks(volume: Volume): InodeChunk[] {
  const groups: GroupInodes[] = [];
  const chunks: InodeChunk[] = [];
  let nodes: TreeLevel[] = [];
  for (const group of readGroupInodes(volume)) {
    if (group.levels < 1 || group.levels > MAX_LEVELS) {
      throw new CorruptFilesystemError('height of an inode tree', {
        group: group.group,
        levels: group.levels,
      });
    }
    groups.push(group);
    nodes.push({ group: group.group, level: group.levels - 1, block: group.root });
  }
  const seen = new Set<number>();
  while (nodes.length > 0) {
    const ranges = nodes.map(({ group, block }) => rangeOf(volume, group, block));
    volume.need(ranges);
    const next: TreeLevel[] = [];
    for (const [position, node] of nodes.entries()) {
      const range = ranges[position]!;
      // A tree that leads to a block twice would grow without end.
      if (seen.has(range.offsetBytes))
        throw new CorruptFilesystemError('inode tree with a loop', { ...node });
      seen.add(range.offsetBytes);
      const block = volume.block({ ...range, owner: node.group }, INODE_TREE_STAMP);
      const { count, header } = checkBlock(volume, block, node);
      if (node.level === 0) takeChunks(volume, block, { node, count, header }, chunks);
      else takeChildren(block, { node, count, header }, next);
    }
    nodes = next;
  }
  return inOrder(chunks);
}

function rangeOf(volume: Volume, group: number, block: number): ByteRange {
  return { offsetBytes: volume.groupOffsetBytes(group, block), lengthBytes: volume.superblock.blockSize };
}

function checkBlock(
  { superblock }: Volume,
  block: Uint8Array,
  node: TreeLevel,
): { count: number; header: number } {
  const form = superblock.hasStamps ? 'v5' : 'v4';
  const header = HEADER_BYTES[form];
  const count = readU16BE(block, 6);
  const entryBytes = node.level === 0 ? RECORD_BYTES : 8;
  const isRight =
    readU32BE(block, 0) === BLOCK_MAGIC[form] &&
    readU16BE(block, 4) === node.level &&
    header + count * entryBytes <= block.length;
  if (!isRight) throw new CorruptFilesystemError('block of an inode tree', { ...node, count });
  return { count, header };
}

interface NodeContent {
  readonly node: TreeLevel;
  readonly count: number;
  readonly header: number;
}

function takeChildren(block: Uint8Array, { node, count, header }: NodeContent, into: TreeLevel[]): void {
  const at = header + Math.floor((block.length - header) / 8) * 4;
  for (let child = 0; child < count; child++) {
    into.push({ group: node.group, level: node.level - 1, block: readU32BE(block, at + child * 4) });
  }
}

function takeChunks(
  { superblock }: Volume,
  block: Uint8Array,
  { node, count, header }: NodeContent,
  into: InodeChunk[],
): void {
  for (let at = header; at < header + count * RECORD_BYTES; at += RECORD_BYTES) {
    into.push({
      group: node.group,
      index: readU32BE(block, at),
      holes: superblock.hasSparseInodes ? readU16BE(block, at + 4) : 0,
      freeHigh: readU32BE(block, at + 8),
      freeLow: readU32BE(block, at + 12),
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
