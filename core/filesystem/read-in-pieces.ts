import { FileTooLargeError } from './read-errors';

/** Most content that one call returns. */
const MAX_READ_BYTES = 1024 * 1024 * 1024;
/** Content is fetched and copied in pieces of this size, so that a large file does not fill memory twice. */
export const PIECE_BYTES = 8 * 1024 * 1024;

/** Where a range of a file lies: from `from` up to `to`, within its size. In bytes. */
export interface FileRange {
  readonly from: number;
  readonly to: number;
}

/** @param range undefined: all of the file */
export function rangeWithin(
  sizeBytes: number,
  range: { readonly offsetBytes: number; readonly lengthBytes: number } | undefined,
): FileRange {
  const from = Math.min(range?.offsetBytes ?? 0, sizeBytes);
  return { from, to: Math.min(from + (range?.lengthBytes ?? sizeBytes), sizeBytes) };
}

/**
 * @param fill reads what stands at an offset of the file into a part of the result
 * @throws FileTooLargeError beyond 1 GiB
 */
export async function readInPieces(
  path: string,
  { from, to }: FileRange,
  fill: (offsetBytes: number, part: Uint8Array) => Promise<void>,
): Promise<Uint8Array> {
  if (to - from > MAX_READ_BYTES) throw new FileTooLargeError(path, to - from, MAX_READ_BYTES);
  const content = new Uint8Array(to - from);
  for (let at = from; at < to; at += PIECE_BYTES) {
    await fill(at, content.subarray(at - from, Math.min(at + PIECE_BYTES, to) - from));
  }
  return content;
}
