import { readU32 } from '../../bytes/little-endian';
import { CorruptFilesystemError } from '../errors';

export const RECORD_HEADER_BYTES = 8;

/** @param nameLength of the name, which stands RECORD_HEADER_BYTES behind the offset */
export type VisitRecord = (offset: number, recordLength: number, nameLength: number) => void;

/**
 * Every record of a linear directory block, or of a piece of an inline directory, unused ones included.
 * @param end where the records end: the checksum tail is none
 * @throws CorruptFilesystemError when a record length is impossible
 */
export function forEachRecord(block: Uint8Array, end: number, visit: VisitRecord): void {
  for (let offset = 0; offset < end;) {
    if (offset + RECORD_HEADER_BYTES > end) throw broken(block, offset, 0, 0);
    const recordLength = recordLengthAt(block, offset);
    const nameLength = block[offset + 6]!;
    // The first block of a directory that became an index keeps what looks like a tail under its `..` entry.
    const endsWithin = offset + recordLength <= end || offset + recordLength === block.length;
    const isBroken = recordLength < RECORD_HEADER_BYTES + nameLength || recordLength % 4 !== 0 || !endsWithin;
    if (isBroken) throw broken(block, offset, recordLength, nameLength);
    visit(offset, recordLength, nameLength);
    offset += recordLength;
  }
}

/** A record in use. */
export interface FoundRecord {
  readonly offset: number;
  readonly inode: number;
  readonly type: number;
}

/** The record of a name in a linear directory block. @throws CorruptFilesystemError as forEachRecord does */
export function findRecord(block: Uint8Array, end: number, name: Uint8Array): FoundRecord | undefined {
  let found: FoundRecord | undefined;
  forEachRecord(block, end, (offset, _recordLength, nameLength) => {
    if (nameLength !== name.length || found !== undefined) return;
    const at = offset + RECORD_HEADER_BYTES;
    for (let byte = 0; byte < nameLength; byte++) {
      if (block[at + byte] !== name[byte]) return;
    }
    const inode = readU32(block, offset);
    if (inode !== 0) found = { offset, inode, type: block[offset + 7]! };
  });
  return found;
}

/** With 64 KiB blocks a record may be 65536 long, which 16 bits hold as 0 or 65535. */
function recordLengthAt(block: Uint8Array, offset: number): number {
  const field = block[offset + 4]! | (block[offset + 5]! << 8);
  return block.length === 65536 && (field === 0 || field === 65535) ? 65536 : field;
}

function broken(
  block: Uint8Array,
  offset: number,
  recordLength: number,
  nameLength: number,
): CorruptFilesystemError {
  return new CorruptFilesystemError('directory entry', {
    offset,
    recordLength,
    nameLength,
    blockSize: block.length,
  });
}
