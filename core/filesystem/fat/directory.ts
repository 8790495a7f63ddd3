import type { ByteRange } from '../../block-device/block-device';
import { readU16, readU32, readU8 } from '../../bytes/little-endian';
import { CorruptFilesystemError } from '../errors';
import type { FatVolume } from './fat-volume';
import { shortName, shortNameChecksum } from './short-name';
import { fatTimeNs } from './time';

/** Directory entries (Microsoft FAT specification, "FAT Directory Structure" and "Long Directory Entries"). */
const ENTRY_BYTES = 32;
const DELETED = 0xe5;
const ATTRIBUTE_READ_ONLY = 0x01;
const ATTRIBUTE_LABEL = 0x08;
const ATTRIBUTE_DIRECTORY = 0x10;
const LONG_NAME = 0x0f;
const LAST_PART = 0x40;
const UNITS_A_PART = 13;
const MAX_NAME_UNITS = 255;
/** Linux takes no larger directory (fs/fat/fat.h, FAT_MAX_DIR_SIZE). */
export const MAX_DIRECTORY_BYTES = 65_536 * ENTRY_BYTES;

export interface FatEntry {
  readonly name: string;
  readonly isDirectory: boolean;
  readonly isReadOnly: boolean;
  readonly firstCluster: number;
  readonly sizeBytes: number;
  readonly mtimeNs: bigint;
  /** Where the entry stands on the volume: what tells it from all others. */
  readonly offsetBytes: number;
}

export interface FatDirectory {
  readonly entries: readonly FatEntry[];
  /** The eleven bytes of the entry that is the volume's label. */
  readonly label: Uint8Array | undefined;
}

/** @throws CorruptFilesystemError */
export function readDirectory(volume: FatVolume, ranges: readonly ByteRange[]): FatDirectory {
  const entries: FatEntry[] = [];
  let label: Uint8Array | undefined;
  let long = new LongName();
  for (const { bytes, offsetBytes } of records(volume, ranges)) {
    const attributes = readU8(bytes, 11);
    if (readU8(bytes, 0) === DELETED) {
      long = new LongName();
    } else if ((attributes & 0x3f) === LONG_NAME) {
      long.add(bytes);
    } else if (attributes & ATTRIBUTE_LABEL) {
      if (label === undefined && !(attributes & ATTRIBUTE_DIRECTORY)) label = bytes.slice(0, 11);
      long = new LongName();
    } else {
      const name = long.of(bytes) ?? shortName(bytes, readU8(bytes, 12));
      long = new LongName();
      if (name !== '.' && name !== '..') entries.push(entryOf(volume, name, bytes, offsetBytes));
    }
  }
  return { entries, label };
}

/** The records of a directory, up to the one that says that no more follow. */
function* records(
  { source }: FatVolume,
  ranges: readonly ByteRange[],
): Iterable<{ bytes: Uint8Array; offsetBytes: number }> {
  for (const range of ranges) {
    const run = source.read(range.offsetBytes, range.lengthBytes);
    for (let at = 0; at + ENTRY_BYTES <= run.length; at += ENTRY_BYTES) {
      const bytes = run.subarray(at, at + ENTRY_BYTES);
      if (bytes[0] === 0) return;
      yield { bytes, offsetBytes: range.offsetBytes + at };
    }
  }
}

function entryOf({ geometry }: FatVolume, name: string, bytes: Uint8Array, offsetBytes: number): FatEntry {
  // A name that is no name of a file on Linux would lead out of its directory.
  if (name === '' || /[/\0]/.test(name)) {
    throw new CorruptFilesystemError('a name that no file can have', { name, offsetBytes });
  }
  const attributes = readU8(bytes, 11);
  const isDirectory = (attributes & ATTRIBUTE_DIRECTORY) !== 0;
  return {
    name,
    isDirectory,
    isReadOnly: (attributes & ATTRIBUTE_READ_ONLY) !== 0,
    firstCluster: readU16(bytes, 26) + (geometry.bits === 32 ? (readU16(bytes, 20) & 0xfff) * 65_536 : 0),
    sizeBytes: isDirectory ? 0 : readU32(bytes, 28),
    mtimeNs: fatTimeNs(readU16(bytes, 24), readU16(bytes, 22)),
    offsetBytes,
  };
}

/** The parts of a long name stand before its entry, the last part first. */
class LongName {
  private readonly parts: Uint16Array[] = [];
  private expected = 0;
  private checksum = 0;

  add(bytes: Uint8Array): void {
    const order = readU8(bytes, 0);
    const checksum = readU8(bytes, 13);
    const number = order & ~LAST_PART;
    if (order & LAST_PART) {
      this.parts.length = 0;
      this.expected = number;
      this.checksum = checksum;
    }
    const isNext = number > 0 && number === this.expected && checksum === this.checksum;
    if (!isNext || number * UNITS_A_PART > MAX_NAME_UNITS + UNITS_A_PART) {
      this.parts.length = 0;
      this.expected = 0;
      return;
    }
    this.parts.unshift(unitsOf(bytes));
    this.expected -= 1;
  }

  /** Undefined when the parts are not whole, or not of this entry. */
  of(entry: Uint8Array): string | undefined {
    if (this.parts.length === 0 || this.expected !== 0) return undefined;
    if (this.checksum !== shortNameChecksum(entry)) return undefined;
    const units = this.parts.flatMap((part) => [...part]);
    const end = units.indexOf(0);
    const text = String.fromCharCode(...(end < 0 ? units : units.slice(0, end)));
    return text === '' || text.length > MAX_NAME_UNITS ? undefined : text.toWellFormed();
  }
}

function unitsOf(bytes: Uint8Array): Uint16Array {
  const offsets = [1, 3, 5, 7, 9, 14, 16, 18, 20, 22, 24, 28, 30];
  return Uint16Array.from(offsets, (offset) => readU16(bytes, offset));
}
