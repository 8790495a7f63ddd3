import { CorruptFilesystemError } from '../../errors';
import { NoSpaceError } from '../../write-errors';
import { directoryEntryBytes, parseDirectoryBlock } from '../directory';
import { directoryHash } from '../directory-hash';
import {
  hashVersionOf,
  type HtreeEntry,
  htreeNodeLimit,
  htreeRootLimit,
  mostIndirectLevels,
  parseHtreeNode,
  parseHtreeRoot,
  writeHtreeNode,
  writeHtreeRoot,
} from '../htree';
import { InodeFlag } from '../inode';
import type { Superblock } from '../superblock';
import type { DirectoryBlocks, NewEntry } from './directory-blocks';

/** One index block on the way from the root to a leaf, and which of its entries the way takes. */
interface Frame {
  readonly block: number;
  readonly entries: HtreeEntry[];
  readonly limit: number;
  position: number;
}

interface Path {
  readonly hashVersion: number;
  readonly parentInode: number;
  readonly frames: Frame[];
}

/** Blocks in which an entry of this name can stand: one, or more where many names have one hash. */
export function* leavesFor(
  superblock: Superblock,
  directory: DirectoryBlocks,
  name: Uint8Array,
): Generator<number> {
  const { path, hash } = walkTo(superblock, directory, name);
  let leaf: number | undefined = leafOf(path);
  while (leaf !== undefined) {
    yield leaf;
    leaf = nextLeaf(directory, path, hash);
  }
}

/** Puts an entry into the leaf where its hash belongs, splitting what is full. */
export function insertIndexed(superblock: Superblock, directory: DirectoryBlocks, entry: NewEntry): void {
  const { path } = walkTo(superblock, directory, entry.name);
  if (directory.insertInto(leafOf(path), entry)) {
    return;
  }
  const frame = frameWithRoom(superblock, directory, path);
  const full = leafOf(path);
  const entries = [...entriesOf(directory.read(full, 'entries')), entry];
  const sorted = entries
    .map((each) => ({ each, hash: hashOf(superblock, path.hashVersion, each.name) }))
    .sort((a, b) => a.hash - b.hash);
  const split = balancedSplit(sorted.map(({ each }) => directoryEntryBytes(each.name.length)));
  const border = sorted[split]!.hash;
  // The lowest bit says that names of this hash stand in the leaf before, too.
  const isContinued = sorted[split - 1]!.hash === border;
  const added = directory.append();
  directory.fill(
    full,
    sorted.slice(0, split).map(({ each }) => each),
  );
  directory.fill(
    added,
    sorted.slice(split).map(({ each }) => each),
  );
  frame.entries.splice(frame.position + 1, 0, { hash: border + (isContinued ? 1 : 0), block: added });
  writeFrame(directory, path, frame);
}

/** Gives a directory of one full block an index: its entries move to a leaf, block 0 becomes the root. */
export function makeIndexed(superblock: Superblock, directory: DirectoryBlocks): void {
  const [self, parent, ...entries] = entriesOf(directory.read(0, 'entries'));
  if (self === undefined || parent === undefined) {
    throw new CorruptFilesystemError('a directory without . and ..', { inode: directory.inode.number });
  }
  const leaf = directory.append();
  directory.fill(leaf, entries);
  directory.inode.fields.flags |= InodeFlag.INDEX;
  directory.inode.isChanged = true;
  directory.edit(0, 'index-root', (block) => {
    block.fill(0, 24);
    writeHtreeRoot(block, {
      hashVersion: superblock.defaultHashVersion,
      indirectLevels: 0,
      parentInode: parent.inode,
      limit: htreeRootLimit(superblock),
      entries: [{ hash: 0, block: leaf }],
    });
  });
}

/** The hash by which the directory orders its names. @throws CorruptFilesystemError for an unknown version */
export function hashOf(superblock: Superblock, hashVersion: number, name: Uint8Array): number {
  const hash = directoryHash(name, hashVersionOf(hashVersion, superblock), superblock.hashSeed);
  if (hash === undefined) {
    throw new CorruptFilesystemError('hash version of a directory', { hashVersion });
  }
  return hash.major;
}

function walkTo(
  superblock: Superblock,
  directory: DirectoryBlocks,
  name: Uint8Array,
): { path: Path; hash: number } {
  const root = parseHtreeRoot(directory.read(0, 'index-root'));
  if (root.indirectLevels > mostIndirectLevels(superblock)) {
    throw new CorruptFilesystemError('levels of a directory index', { levels: root.indirectLevels });
  }
  const hash = hashOf(superblock, root.hashVersion, name);
  const frames = [frameFor(0, root, hash)];
  for (let level = 0; level < root.indirectLevels; level += 1) {
    const block = chosen(frames[level]!).block;
    frames.push(frameFor(block, parseHtreeNode(directory.read(block, 'index-node')), hash));
  }
  return { path: { hashVersion: root.hashVersion, parentInode: root.parentInode, frames }, hash };
}

/** The last entry whose hash is not above the one looked for. */
function frameFor(
  block: number,
  node: { readonly entries: readonly HtreeEntry[]; readonly limit: number },
  hash: number,
): Frame {
  let position = 0;
  while (position + 1 < node.entries.length && node.entries[position + 1]!.hash <= hash) {
    position += 1;
  }
  return { block, entries: [...node.entries], limit: node.limit, position };
}

function chosen(frame: Frame): HtreeEntry {
  return frame.entries[frame.position]!;
}

function leafOf(path: Path): number {
  return chosen(path.frames.at(-1)!).block;
}

/** Moves the path to the next leaf if that one goes on with the same hash. */
function nextLeaf(directory: DirectoryBlocks, path: Path, hash: number): number | undefined {
  let level = path.frames.length - 1;
  while (level >= 0 && path.frames[level]!.position + 1 >= path.frames[level]!.entries.length) {
    level -= 1;
  }
  const frame = path.frames[level];
  const next = frame?.entries[frame.position + 1];
  if (frame === undefined || next === undefined || next.hash !== hash + 1) {
    return undefined;
  }
  frame.position += 1;
  for (let below = level + 1; below < path.frames.length; below += 1) {
    const block = chosen(path.frames[below - 1]!).block;
    const node = parseHtreeNode(directory.read(block, 'index-node'));
    path.frames[below] = { block, entries: [...node.entries], limit: node.limit, position: 0 };
  }
  return leafOf(path);
}

/** The lowest index block of the path, with room for one more entry: full blocks on the way are split. */
function frameWithRoom(superblock: Superblock, directory: DirectoryBlocks, path: Path): Frame {
  let level = path.frames.length - 1;
  while (level >= 0 && path.frames[level]!.entries.length >= path.frames[level]!.limit) {
    level -= 1;
  }
  if (level < 0) {
    if (path.frames.length > mostIndirectLevels(superblock)) {
      throw new NoSpaceError('directory entries', 1, 0);
    }
    addLevel(superblock, directory, path);
    level = 1;
  }
  for (let full = level + 1; full < path.frames.length; full += 1) {
    splitFrame(directory, path, full);
  }
  return path.frames.at(-1)!;
}

/** The upper half of a full node goes to a new one, behind it in the node above, which has room. */
function splitFrame(directory: DirectoryBlocks, path: Path, level: number): void {
  const above = path.frames[level - 1]!;
  const full = path.frames[level]!;
  const half = full.entries.length >>> 1;
  const upper = full.entries.splice(half);
  const block = directory.append();
  above.entries.splice(above.position + 1, 0, { hash: upper[0]!.hash, block });
  const added: Frame = { block, entries: upper, limit: full.limit, position: full.position - half };
  writeFrame(directory, path, added);
  writeFrame(directory, path, full);
  writeFrame(directory, path, above);
  if (full.position >= half) {
    above.position += 1;
    path.frames[level] = added;
  }
}

/** All entries of a full root move to a node of their own, of which the root then holds only that. */
function addLevel(superblock: Superblock, directory: DirectoryBlocks, path: Path): void {
  const root = path.frames[0]!;
  const block = directory.append();
  const node: Frame = {
    block,
    entries: root.entries.splice(0),
    limit: htreeNodeLimit(superblock),
    position: root.position,
  };
  root.entries.push({ hash: 0, block });
  root.position = 0;
  path.frames.splice(1, 0, node);
  writeFrame(directory, path, node);
  writeFrame(directory, path, root);
}

function writeFrame(directory: DirectoryBlocks, path: Path, frame: Frame): void {
  if (frame.block === 0) {
    directory.edit(0, 'index-root', (block) =>
      writeHtreeRoot(block, {
        hashVersion: path.hashVersion,
        indirectLevels: path.frames.length - 1,
        parentInode: path.parentInode,
        limit: frame.limit,
        entries: frame.entries,
      }),
    );
  } else {
    directory.edit(frame.block, 'index-node', (block) =>
      writeHtreeNode(block, { limit: frame.limit, entries: frame.entries }),
    );
  }
}

function entriesOf(block: Uint8Array): NewEntry[] {
  return parseDirectoryBlock(block)
    .filter(({ inode }) => inode !== 0)
    .map(({ name, inode, type }) => ({ name: new Uint8Array(name), inode, type }));
}

/** Where to cut a list of sizes so that both sides are as equal as can be, and neither is empty. */
function balancedSplit(sizes: readonly number[]): number {
  const total = sizes.reduce((sum, size) => sum + size, 0);
  let best = 1;
  let bestLarger = Infinity;
  let lower = 0;
  for (let split = 1; split < sizes.length; split += 1) {
    lower += sizes[split - 1]!;
    const larger = Math.max(lower, total - lower);
    if (larger < bestLarger) {
      best = split;
      bestLarger = larger;
    }
  }
  return best;
}
