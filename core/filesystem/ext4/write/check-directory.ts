import { decodeName } from '../../../bytes/names';
import { EntryType, parseDirectoryBlock, type RawDirectoryEntry } from '../directory';
import { Incompat } from '../features';
import { type HtreeNode, parseHtreeNode, parseHtreeRoot } from '../htree';
import { isBitSet } from './bitmap';
import { differs } from './check-findings';
import { DirectoryBlocks } from './directory-blocks';
import { entriesOfAnyBlock } from './directory-edit';
import { hashOf } from './directory-index';
import { groupOfInode } from './geometry';
import { isInlineDirectory, readInlineDirectory } from './inline-directory';
import type { InodeEdit } from './inode-edit';
import type { VolumeEdit } from './volume-edit';

/** Above every hash. */
const HASH_END = 2 ** 32;

/** Checks a directory: entries, link count, and that its index leads to every name. */
export function checkDirectory(volume: VolumeEdit, inode: InodeEdit): string[] {
  const isInline = isInlineDirectory(inode);
  const directory = isInline ? undefined : new DirectoryBlocks(volume, inode);
  const problems: string[] = [];
  const names = new Set<string>();
  let subdirectories = 0;
  for (const entry of directory === undefined ? readInlineDirectory(inode).entries : allEntries(directory)) {
    if (entry.inode === 0) {
      continue;
    }
    const name = decodeName(entry.name);
    if (names.has(name)) {
      problems.push(`the name ${name} twice`);
    }
    names.add(name);
    if (name === '.' && entry.inode !== inode.number) {
      problems.push(`. is inode ${entry.inode}`);
    }
    if (!isInUse(volume, entry.inode)) {
      problems.push(`${name} is inode ${entry.inode}, which is free`);
    }
    if (entry.type === EntryType.directory && name !== '.' && name !== '..') {
      subdirectories += 1;
    }
  }
  if (!isInline && (!names.has('.') || !names.has('..'))) {
    problems.push('. or .. is missing');
  }
  const hasTypes = (volume.superblock.featureIncompat & Incompat.filetype) !== 0;
  if (hasTypes && inode.fields.links !== 1) {
    problems.push(...differs('links', inode.fields.links, subdirectories + 2));
  }
  if (directory?.isIndexed) {
    problems.push(...checkIndex(volume, directory));
  }
  return problems;
}

function* allEntries(directory: DirectoryBlocks): Generator<RawDirectoryEntry> {
  for (const block of directory.numbers()) {
    yield* entriesOfAnyBlock(directory, block);
  }
}

/** Of inodes in groups that were touched: other bitmaps are not read for this. */
function isInUse(volume: VolumeEdit, number: number): boolean {
  const { superblock, session } = volume;
  const group = groupOfInode(superblock, number);
  if (!session.touchedGroups.has(group)) {
    return number >= 1 && number <= superblock.inodesCount;
  }
  return isBitSet(volume.group(group).inodeBitmap(), (number - 1) % superblock.inodesPerGroup);
}

function checkIndex(volume: VolumeEdit, directory: DirectoryBlocks): string[] {
  const problems: string[] = [];
  const root = parseHtreeRoot(directory.read(0, 'index-root'));
  const seen = new Set<number>([0]);
  const visit = (node: HtreeNode, level: number, from: number, end: number): void => {
    node.entries.forEach(({ hash, block }, position) => {
      const low = position === 0 ? from : hash;
      const high = node.entries[position + 1]?.hash ?? end;
      if (seen.has(block)) {
        problems.push(`index names block ${block} twice`);
        return;
      }
      seen.add(block);
      if (level > 0) {
        visit(parseHtreeNode(directory.read(block, 'index-node')), level - 1, low, high);
      } else {
        problems.push(...checkLeaf(volume, directory, root.hashVersion, block, low, high));
      }
    });
  };
  visit(root, root.indirectLevels, 0, HASH_END);
  return [...problems, ...differs('blocks in the index', seen.size, directory.count)];
}

/** The lowest bit of a limit says that names of this hash may stand on both sides of it. */
function checkLeaf(
  volume: VolumeEdit,
  directory: DirectoryBlocks,
  hashVersion: number,
  block: number,
  low: number,
  high: number,
): string[] {
  const lowest = low - (low % 2);
  const highest = high % 2 === 1 ? high - 1 : high - 2;
  return parseDirectoryBlock(directory.read(block, 'entries'))
    .filter(({ inode }) => inode !== 0)
    .map(({ name }) => ({ name, hash: hashOf(volume.superblock, hashVersion, name) }))
    .filter(({ hash }) => hash < lowest || hash > highest)
    .map(({ name }) => `the index does not lead to ${decodeName(name)}`);
}
