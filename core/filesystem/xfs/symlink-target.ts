import { CorruptFilesystemError } from '../errors';
import { forkExtents } from './fork-extents';
import { ForkFormat, type Inode } from './inode';
import { readOwnedBytes, roomForBytes } from './owned-bytes';
import type { Volume } from './volume';

const MAX_TARGET_BYTES = 1024;
const TARGET_MAGIC = 0x58534c4d;

/** Where a symbolic link leads: in the inode, or in blocks of its own. @throws CorruptFilesystemError */
export function symlinkTarget(volume: Volume, inode: Inode): Uint8Array {
  const { number, sizeBytes, data } = inode;
  if (sizeBytes === 0 || sizeBytes > MAX_TARGET_BYTES) {
    throw new CorruptFilesystemError('length of a symbolic link', { inode: number, sizeBytes });
  }
  if (data.format === ForkFormat.LOCAL) {
    if (sizeBytes > data.bytes.length) {
      throw new CorruptFilesystemError('symbolic link larger than its inode', { inode: number, sizeBytes });
    }
    return data.bytes.subarray(0, sizeBytes);
  }
  const { blockSize, hasStamps } = volume.superblock;
  const ranges = [];
  let room = 0;
  // Each run of blocks has one header, however many blocks it is.
  for (const { offsetBytes, blocks } of forkExtents(volume, number, data)) {
    if (room >= sizeBytes) break;
    const lengthBytes = Math.min(blocks, Math.ceil(MAX_TARGET_BYTES / blockSize) + 1) * blockSize;
    ranges.push({ offsetBytes, lengthBytes });
    room += roomForBytes(lengthBytes, hasStamps);
  }
  return readOwnedBytes(volume, ranges, {
    what: 'symbolic link',
    magic: TARGET_MAGIC,
    owner: number,
    lengthBytes: sizeBytes,
  });
}
