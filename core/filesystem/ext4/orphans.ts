import { highU32, lowU32, readU32 } from '../../bytes/little-endian';
import { CorruptFilesystemError } from '../errors';
import { crc32c, crc32cU32 } from '../../bytes/checksum';
import { fileExtents } from './file-extents';
import { Compat } from './features';
import { inodeChecksumSeed } from './inode';
import type { VolumeReader } from './volume-reader';

const ORPHAN_BLOCK_MAGIC = 0x0b10ca04;
const ORPHAN_TAIL_BYTES = 8;
/** The kernel makes 512 blocks at most. */
const MAX_ORPHAN_BLOCKS = 512;

/** Where one orphan is noted in the orphan file. */
export interface OrphanSlot {
  readonly inode: number;
  readonly block: number;
  readonly offset: number;
}

/**
 * Inodes that were deleted, or were being cut short, when the machine stopped. No path leads to a deleted one, but it
 * and its blocks are not free until they are processed, as the kernel does at the next mount.
 */
export interface Orphans {
  /** The list that starts in the superblock and goes on in i_dtime, in its order. */
  readonly chain: readonly number[];
  /** Entries of the orphan file (feature orphan_file). */
  readonly slots: readonly OrphanSlot[];
}

/** @throws CorruptFilesystemError when the chain does not end, or the orphan file is damaged */
export function findOrphans(volume: VolumeReader): Orphans {
  return { chain: orphanChain(volume), slots: orphanFile(volume) };
}

function orphanChain(volume: VolumeReader): number[] {
  const seen = new Set<number>();
  for (let number = volume.superblock.lastOrphan; number !== 0; number = volume.inode(number).dtime) {
    if (seen.has(number)) throw new CorruptFilesystemError('orphan list is a loop', { inode: number });
    seen.add(number);
  }
  return [...seen];
}

function orphanFile(volume: VolumeReader): OrphanSlot[] {
  const { superblock } = volume;
  if ((superblock.featureCompat & Compat.orphan_file) === 0 || superblock.orphanFileInode === 0) return [];
  const inode = volume.inode(superblock.orphanFileInode);
  const slots: OrphanSlot[] = [];
  let blocks = 0;
  for (const { physicalBlock, blocks: length } of fileExtents(volume, superblock.orphanFileInode, inode)) {
    blocks += length;
    if (blocks > MAX_ORPHAN_BLOCKS) throw new CorruptFilesystemError('orphan file too long', { blocks });
    for (let number = physicalBlock; number < physicalBlock + length; number++) {
      const block = volume.block(number);
      verifyOrphanBlock(volume, block, number, inode.generation);
      for (let offset = 0; offset < block.length - ORPHAN_TAIL_BYTES; offset += 4) {
        const orphan = readU32(block, offset);
        if (orphan !== 0) slots.push({ inode: orphan, block: number, offset });
      }
    }
  }
  return slots;
}

function verifyOrphanBlock(
  volume: VolumeReader,
  block: Uint8Array,
  number: number,
  generation: number,
): void {
  const tail = block.length - ORPHAN_TAIL_BYTES;
  if (readU32(block, tail) !== ORPHAN_BLOCK_MAGIC) {
    throw new CorruptFilesystemError('orphan file block', { block: number });
  }
  if (!volume.superblock.hasMetadataChecksums) return;
  const expected = orphanBlockChecksum(volume, block, number, generation);
  const found = readU32(block, tail + 4);
  if (found !== expected)
    throw new CorruptFilesystemError('orphan file checksum', { block: number, expected, found });
}

/** Checksum of one block of the orphan file, which its last four bytes hold. */
export function orphanBlockChecksum(
  { superblock }: VolumeReader,
  block: Uint8Array,
  number: number,
  generation: number,
): number {
  const seed = inodeChecksumSeed(superblock, superblock.orphanFileInode, generation);
  const numbered = crc32cU32(crc32cU32(seed, lowU32(number)), highU32(number));
  return crc32c(numbered, block, 0, block.length - ORPHAN_TAIL_BYTES);
}
