import { readU32BE } from '../../bytes/big-endian';
import { CorruptFilesystemError } from '../errors';
import { isUuidAt, verifyChecksum } from './block-stamp';
import type { Volume } from './volume';

/** Which sector of a group holds which header, and where its checksum and UUID are. */
interface HeaderLayout {
  readonly what: string;
  readonly sector: number;
  readonly magic: number;
  readonly crc: number;
  readonly uuid: number;
}

const SPACE_HEADER: HeaderLayout = {
  what: 'free space header of a group',
  sector: 1,
  magic: 0x58414746,
  crc: 216,
  uuid: 64,
};
const INODE_HEADER: HeaderLayout = {
  what: 'inode header of a group',
  sector: 2,
  magic: 0x58414749,
  crc: 312,
  uuid: 296,
};

/** Of struct xfs_agi: the tree of a group's inodes. */
export interface GroupInodes {
  readonly group: number;
  readonly root: number;
  readonly levels: number;
  /** The tree of chunks that have free inodes, where the volume has one. */
  readonly freeTree: { readonly root: number; readonly levels: number };
  /** Blocks of the tree of free inodes, where the volume counts them. */
  readonly freeTreeBlocks: number;
}

/** Of struct xfs_agf: how much of a group is free. Counts in blocks. */
export interface GroupSpace {
  readonly group: number;
  readonly free: number;
  /** Free blocks set aside for the free space trees. */
  readonly listed: number;
  /** Blocks of trees beyond their roots. */
  readonly treeBlocks: number;
  readonly rmapBlocks: number;
  readonly refcountBlocks: number;
}

/** Groups whose headers are fetched together. */
const GROUPS_AT_ONCE = 64;

/** @throws CorruptFilesystemError */
export function* readGroupInodes(volume: Volume): Generator<GroupInodes> {
  for (const { group, bytes } of readHeaders(volume, INODE_HEADER)) {
    yield {
      group,
      root: readU32BE(bytes, 20),
      levels: readU32BE(bytes, 24),
      freeTree: { root: readU32BE(bytes, 328), levels: readU32BE(bytes, 332) },
      freeTreeBlocks: readU32BE(bytes, 340),
    };
  }
}

/** @throws CorruptFilesystemError */
export function* readGroupSpace(volume: Volume): Generator<GroupSpace> {
  for (const { group, bytes } of readHeaders(volume, SPACE_HEADER)) {
    yield {
      group,
      free: readU32BE(bytes, 52),
      listed: readU32BE(bytes, 48),
      treeBlocks: readU32BE(bytes, 60),
      rmapBlocks: readU32BE(bytes, 80),
      refcountBlocks: readU32BE(bytes, 84),
    };
  }
}

function* readHeaders(volume: Volume, layout: HeaderLayout): Generator<{ group: number; bytes: Uint8Array }> {
  const { superblock, source } = volume;
  const { groupCount, sectorSize } = superblock;
  const rangeOf = (group: number): { offsetBytes: number; lengthBytes: number } => ({
    offsetBytes: volume.groupOffsetBytes(group, 0) + layout.sector * sectorSize,
    lengthBytes: sectorSize,
  });
  for (let group = 0; group < groupCount; group++) {
    if (group % GROUPS_AT_ONCE === 0) {
      const together = Math.min(GROUPS_AT_ONCE, groupCount - group);
      volume.need(Array.from({ length: together }, (_, next) => rangeOf(group + next)));
    }
    const { offsetBytes, lengthBytes } = rangeOf(group);
    const bytes = source.read(offsetBytes, lengthBytes);
    if (superblock.hasStamps) {
      verifyChecksum(bytes, layout.crc, `checksum of ${layout.what}`, group);
      if (!isUuidAt(bytes, layout.uuid, superblock.metadataUuid)) {
        throw new CorruptFilesystemError(`${layout.what} of another filesystem`, { group });
      }
    }
    const isRight =
      readU32BE(bytes, 0) === layout.magic &&
      readU32BE(bytes, 8) === group &&
      readU32BE(bytes, 12) === volume.groupLength(group);
    if (!isRight) throw new CorruptFilesystemError(layout.what, { group });
    yield { group, bytes };
  }
}
