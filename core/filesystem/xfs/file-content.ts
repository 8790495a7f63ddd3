import type { ByteRange } from '../../block-device/block-device';
import { CorruptFilesystemError } from '../errors';
import type { Extent } from './extent';
import type { Volume } from './volume';

/** A part of a file that stands in one piece on the volume. */
export interface Piece extends ByteRange {
  readonly fileOffset: number;
}

/** Where the bytes [offset, offset + length) of a file are; holes and unwritten runs have no place. */
export function contentPieces(
  extents: readonly Extent[],
  blockSize: number,
  { offsetBytes, lengthBytes }: ByteRange,
): Piece[] {
  const end = offsetBytes + lengthBytes;
  const found: Piece[] = [];
  for (let at = firstTouching(extents, offsetBytes / blockSize); at < extents.length; at++) {
    const extent = extents[at]!;
    const start = extent.fileBlock * blockSize;
    if (start >= end) break;
    const from = Math.max(start, offsetBytes);
    const to = Math.min(start + extent.blocks * blockSize, end);
    if (extent.unwritten || to <= from) continue;
    found.push({
      fileOffset: from,
      offsetBytes: extent.offsetBytes + (from - start),
      lengthBytes: to - from,
    });
  }
  return found;
}

/**
 * A file's bytes where they lie in one piece: without a copy, for that is how most files of a machine lie.
 * @returns undefined when they do not; not to be changed by the caller
 */
export function contentInPlace(
  volume: Volume,
  extents: readonly Extent[],
  range: ByteRange,
): Uint8Array | undefined {
  const [piece, ...more] = contentPieces(extents, volume.superblock.blockSize, range);
  if (piece === undefined || more.length > 0 || piece.lengthBytes !== range.lengthBytes) return undefined;
  return volume.source.read(piece.offsetBytes, piece.lengthBytes);
}

/** Fills `into` with a file's bytes from `offsetBytes` on. `into` must come as zeros: holes are left as they are. */
export function readContent(
  volume: Volume,
  extents: readonly Extent[],
  offsetBytes: number,
  into: Uint8Array,
): void {
  const pieces = contentPieces(extents, volume.superblock.blockSize, {
    offsetBytes,
    lengthBytes: into.length,
  });
  volume.need(pieces);
  for (const piece of pieces) {
    into.set(volume.source.read(piece.offsetBytes, piece.lengthBytes), piece.fileOffset - offsetBytes);
  }
}

/**
 * Where blocks of a file that belong together are: metadata has neither holes nor unwritten runs.
 * @throws CorruptFilesystemError unless they are there in one piece
 */
export function rangeOfBlocks(
  extents: readonly Extent[],
  blockSize: number,
  fileBlock: number,
  blocks: number,
): ByteRange {
  const extent = extents[firstTouching(extents, fileBlock)];
  const within = extent === undefined ? -1 : fileBlock - extent.fileBlock;
  if (extent === undefined || extent.unwritten || within < 0 || within + blocks > extent.blocks) {
    throw new CorruptFilesystemError('metadata in a hole', { fileBlock, blocks });
  }
  return { offsetBytes: extent.offsetBytes + within * blockSize, lengthBytes: blocks * blockSize };
}

/** Index of the first run that ends behind `block`: runs are in order, so the search can halve. */
function firstTouching(extents: readonly Extent[], block: number): number {
  let low = 0;
  let high = extents.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const { fileBlock, blocks } = extents[middle]!;
    if (fileBlock + blocks <= block) low = middle + 1;
    else high = middle;
  }
  return low;
}
