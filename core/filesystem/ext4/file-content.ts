import type { ByteRange } from '../../block-device/block-device';
import type { Extent } from './extent';
import type { VolumeReader } from './volume-reader';

/** Where on the volume the bytes [offset, offset + length) of a file are; holes and unwritten runs have no place. */
export function contentRanges(
  extents: readonly Extent[],
  blockSize: number,
  { offsetBytes, lengthBytes }: ByteRange,
): ByteRange[] {
  return pieces(extents, blockSize, offsetBytes, lengthBytes).map((piece) => ({
    offsetBytes: piece.volumeOffset,
    lengthBytes: piece.lengthBytes,
  }));
}

/**
 * A file's bytes where they lie in one piece: without a copy, for that is how most files of a machine lie.
 * @returns undefined when they do not; not to be changed by the caller
 */
export function contentInPlace(
  volume: VolumeReader,
  extents: readonly Extent[],
  { offsetBytes, lengthBytes }: ByteRange,
): Uint8Array | undefined {
  const [piece, ...more] = pieces(extents, volume.superblock.blockSize, offsetBytes, lengthBytes);
  if (piece === undefined || more.length > 0 || piece.lengthBytes !== lengthBytes) return undefined;
  return volume.source.read(piece.volumeOffset, lengthBytes);
}

/**
 * Fills `into` with a file's bytes from `offsetBytes` on. `into` must come as zeros: holes are left as they are.
 * All of it must be wanted: the caller has cut the range at the file's size.
 */
export function readContent(
  volume: VolumeReader,
  extents: readonly Extent[],
  offsetBytes: number,
  into: Uint8Array,
): void {
  const { blockSize } = volume.superblock;
  for (const piece of pieces(extents, blockSize, offsetBytes, into.length)) {
    const bytes = volume.source.read(piece.volumeOffset, piece.lengthBytes);
    into.set(bytes, piece.fileOffset - offsetBytes);
  }
}

interface Piece {
  readonly fileOffset: number;
  readonly volumeOffset: number;
  readonly lengthBytes: number;
}

function pieces(
  extents: readonly Extent[],
  blockSize: number,
  offsetBytes: number,
  lengthBytes: number,
): Piece[] {
  const end = offsetBytes + lengthBytes;
  const found: Piece[] = [];
  for (let at = firstTouching(extents, offsetBytes / blockSize); at < extents.length; at++) {
    const { logicalBlock, physicalBlock, blocks, unwritten } = extents[at]!;
    const start = logicalBlock * blockSize;
    if (start >= end) break;
    const from = Math.max(start, offsetBytes);
    const to = Math.min(start + blocks * blockSize, end);
    if (unwritten || to <= from) continue;
    const volumeOffset = physicalBlock * blockSize + (from - start);
    found.push({ fileOffset: from, volumeOffset, lengthBytes: to - from });
  }
  return found;
}

/** Index of the first run that ends behind `block`: runs are in order, so the search can halve. */
function firstTouching(extents: readonly Extent[], block: number): number {
  let low = 0;
  let high = extents.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const { logicalBlock, blocks } = extents[middle]!;
    if (logicalBlock + blocks <= block) low = middle + 1;
    else high = middle;
  }
  return low;
}
