import { crc32 } from 'node:zlib';
import type { BlockReader } from '../block-device/block-device';
import { readU16, readU32, readU64 } from '../bytes/little-endian';
import { PartitionTableError } from './partition-errors';
import { SECTOR_SIZES, type Partition, type PartitionTable } from './partition-table';

const SIGNATURE = 'EFI PART';
const HEADER_BYTES = 92;
const ENTRY_BYTES = 128;
/** Far above the 128 entries that tools make; keeps a hostile header from asking for gigabytes. */
const MAX_TABLE_BYTES = 1024 * 1024;
const UNUSED_TYPE = '00000000-0000-0000-0000-000000000000';

/**
 * Undefined when no intact copy is found: the primary behind the first sector, then the backup in the last, each tried
 * with both sector sizes.
 */
export async function readGpt(reader: BlockReader): Promise<PartitionTable | undefined> {
  for (const place of ['primary', 'backup'] as const) {
    for (const sectorBytes of SECTOR_SIZES) {
      const lastSector = Math.floor(reader.sizeBytes / sectorBytes) - 1;
      const table = await readCopy(reader, sectorBytes, place === 'primary' ? 1 : lastSector);
      if (table) return table;
    }
  }
  return undefined;
}

async function readCopy(
  reader: BlockReader,
  sectorBytes: number,
  sector: number,
): Promise<PartitionTable | undefined> {
  const header = await reader.read(sector * sectorBytes, sectorBytes);
  if (Buffer.from(header.subarray(0, 8)).toString('latin1') !== SIGNATURE) return undefined;
  const headerBytes = readU32(header, 12);
  if (headerBytes < HEADER_BYTES || headerBytes > sectorBytes) return undefined;
  const unsummed = new Uint8Array(header.subarray(0, headerBytes));
  unsummed.fill(0, 16, 20);
  if (crc32(unsummed) !== readU32(header, 16) || readU64(header, 24) !== sector) return undefined;

  const count = readU32(header, 80);
  const entryBytes = readU32(header, 84);
  const tableBytes = count * entryBytes;
  const tableOffset = readU64(header, 72) * sectorBytes;
  const isImpossible =
    entryBytes < ENTRY_BYTES || tableBytes > MAX_TABLE_BYTES || tableOffset + tableBytes > reader.sizeBytes;
  if (isImpossible) return undefined;
  const table = await reader.read(tableOffset, tableBytes);
  if (crc32(table) !== readU32(header, 88)) return undefined;

  const partitions: Partition[] = [];
  for (let index = 0; index < count; index++) {
    const entry = table.subarray(index * entryBytes, (index + 1) * entryBytes);
    const typeGuid = guid(entry, 0);
    if (typeGuid !== UNUSED_TYPE)
      partitions.push(parseEntry(entry, index + 1, typeGuid, sectorBytes, reader));
  }
  return { scheme: 'gpt', diskUuid: guid(header, 56), partitions };
}

function parseEntry(
  entry: Uint8Array,
  number: number,
  typeGuid: string,
  sectorBytes: number,
  reader: BlockReader,
): Partition {
  const first = readU64(entry, 32);
  const last = readU64(entry, 40);
  if (last < first || (last + 1) * sectorBytes > reader.sizeBytes) {
    throw new PartitionTableError('a partition lies outside the disk', { number, first, last });
  }
  return {
    number,
    offsetBytes: first * sectorBytes,
    sizeBytes: (last - first + 1) * sectorBytes,
    typeGuid,
    partUuid: guid(entry, 16),
    name: partitionName(entry),
  };
}

/** 36 UTF-16 units, ended by a zero. */
function partitionName(entry: Uint8Array): string {
  let name = '';
  for (let at = 56; at < ENTRY_BYTES; at += 2) {
    const unit = readU16(entry, at);
    if (unit === 0) break;
    name += String.fromCharCode(unit);
  }
  return name;
}

/** A GUID's first three parts are little-endian on the disk. */
function guid(bytes: Uint8Array, offset: number): string {
  const hex = (from: number, to: number): string =>
    Buffer.from(bytes.subarray(offset + from, offset + to)).toString('hex');
  const number = (value: number, digits: number): string => value.toString(16).padStart(digits, '0');
  return [
    number(readU32(bytes, offset), 8),
    number(readU16(bytes, offset + 4), 4),
    number(readU16(bytes, offset + 6), 4),
    hex(8, 10),
    hex(10, 16),
  ].join('-');
}
