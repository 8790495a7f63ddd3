import { CorruptFilesystemError } from '../../errors';
import { type Extent, EXTENT_MAX_BLOCKS } from '../extent';
import { isFastSymlink } from '../fast-symlink';
import { hasInlineData } from '../inline-data';
import { InodeFlag, S_IFDIR, S_IFLNK, S_IFMT, S_IFREG } from '../inode';
import { allocateBlocks, type BlockRun, freeRun } from './block-allocator';
import { fileExtents, fileMapBlocks } from '../file-extents';
import { writeBlockMap } from './block-map';
import { emptyExtentRoot, writeExtentTree } from './extent-tree';
import { groupOfInode } from './geometry';
import type { InodeEdit } from './inode-edit';
import type { VolumeEdit } from './volume-edit';

/** Everything that an inode's i_block leads to. */
export interface FileBlocks {
  /** In the order of the file. */
  readonly extents: readonly Extent[];
  /** Blocks of the extent tree or indirect blocks. */
  readonly treeBlocks: readonly number[];
}

const NO_BLOCKS: FileBlocks = { extents: [], treeBlocks: [] };

/** @throws CorruptFilesystemError */
export function readFileBlocks(volume: VolumeEdit, inode: InodeEdit): FileBlocks {
  if (!hasBlocks(volume, inode)) {
    return NO_BLOCKS;
  }
  // Blocks behind the end count as well: a truncation that was cut short leaves some.
  const endless = { ...inode.fields, sizeBytes: Number.MAX_SAFE_INTEGER };
  return {
    extents: fileExtents(volume.reader, inode.number, endless),
    treeBlocks: fileMapBlocks(volume.reader, inode.number, endless),
  };
}

/** Makes the inode lead to exactly these extents. Tree blocks are reused, taken or given back as needed. */
function writeFileBlocks(
  volume: VolumeEdit,
  inode: InodeEdit,
  extents: readonly Extent[],
  old: FileBlocks,
): void {
  const spare = [...old.treeBlocks];
  const takeTreeBlock = (): number => {
    const block = spare.shift();
    if (block !== undefined) {
      return block;
    }
    inode.addBlocks(1);
    const [run] = allocateBlocks(volume, 1, groupOfInode(volume.superblock, inode.number));
    return run!.start;
  };
  const write = inode.fields.flags & InodeFlag.EXTENTS ? writeExtentTree : writeBlockMap;
  write(volume, inode, extents, takeTreeBlock);
  inode.isChanged = true;
  for (const block of spare) {
    inode.addBlocks(-1);
    freeRun(volume, { start: block, count: 1 });
  }
}

/** Gives back all blocks of the inode from file block `keep` on. */
export function truncateFileBlocks(volume: VolumeEdit, inode: InodeEdit, keep: number): void {
  const old = readFileBlocks(volume, inode);
  const kept: Extent[] = [];
  for (const extent of old.extents) {
    const stay = Math.min(Math.max(keep - extent.logicalBlock, 0), extent.blocks);
    if (stay > 0) {
      kept.push({ ...extent, blocks: stay });
    }
    if (stay < extent.blocks) {
      inode.addBlocks(stay - extent.blocks);
      freeRun(volume, { start: extent.physicalBlock + stay, count: extent.blocks - stay });
    }
  }
  if (kept.length === 0 && hasBlocks(volume, inode)) {
    for (const block of old.treeBlocks) {
      inode.addBlocks(-1);
      freeRun(volume, { start: block, count: 1 });
    }
    inode.fields.block =
      inode.fields.flags & InodeFlag.EXTENTS ? emptyExtentRoot() : new Uint8Array(inode.fields.block.length);
    inode.isChanged = true;
  } else if (hasBlocks(volume, inode)) {
    writeFileBlocks(volume, inode, kept, old);
  }
}

/** Adds blocks at the end of the inode's file. */
export function appendRuns(
  volume: VolumeEdit,
  inode: InodeEdit,
  old: FileBlocks,
  runs: readonly BlockRun[],
): void {
  const extents = [...old.extents];
  const before = extents.at(-1);
  let next = before === undefined ? 0 : before.logicalBlock + before.blocks;
  for (const run of runs) {
    for (let done = 0; done < run.count;) {
      const last = extents.at(-1);
      const physicalBlock = run.start + done;
      const joins =
        last !== undefined &&
        !last.unwritten &&
        last.physicalBlock + last.blocks === physicalBlock &&
        last.logicalBlock + last.blocks === next &&
        last.blocks < EXTENT_MAX_BLOCKS;
      const room = joins ? EXTENT_MAX_BLOCKS - last.blocks : EXTENT_MAX_BLOCKS;
      const blocks = Math.min(run.count - done, room);
      if (joins) {
        extents[extents.length - 1] = { ...last, blocks: last.blocks + blocks };
      } else {
        extents.push({ logicalBlock: next, physicalBlock, blocks, unwritten: false });
      }
      done += blocks;
      next += blocks;
    }
    inode.addBlocks(run.count);
  }
  writeFileBlocks(volume, inode, extents, old);
}

/** Gives a new inode its content. */
export function writeContent(volume: VolumeEdit, inode: InodeEdit, content: Uint8Array): void {
  const { blockSize } = volume.superblock;
  inode.fields.sizeBytes = content.length;
  const count = Math.ceil(content.length / blockSize);
  if (count === 0) {
    return;
  }
  const runs = allocateBlocks(volume, count, groupOfInode(volume.superblock, inode.number));
  let done = 0;
  for (const run of runs) {
    const length = Math.min(run.count * blockSize, content.length - done);
    volume.writeBlocks(run.start, content.subarray(done, done + length), true);
    done += length;
  }
  appendRuns(volume, inode, NO_BLOCKS, runs);
}

/**
 * Where a block of the file stands.
 * @throws CorruptFilesystemError when it is a hole
 */
export function physicalBlockOf(file: FileBlocks, logicalBlock: number, inode: number): number {
  for (const extent of file.extents) {
    const within = logicalBlock - extent.logicalBlock;
    if (within >= 0 && within < extent.blocks && !extent.unwritten) {
      return extent.physicalBlock + within;
    }
  }
  throw new CorruptFilesystemError('a hole in a directory', { inode, logicalBlock });
}

/** Whether i_block leads to blocks: not of inline files, device nodes, and symbolic links that are kept in it. */
function hasBlocks(volume: VolumeEdit, { fields }: InodeEdit): boolean {
  const type = fields.mode & S_IFMT;
  if (hasInlineData(fields)) {
    return false;
  }
  return type === S_IFLNK ? !isFastSymlink(volume.superblock, fields) : type === S_IFREG || type === S_IFDIR;
}
