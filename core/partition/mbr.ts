import type { BlockReader } from '../block-device/block-device';
import { BlockWindow } from '../block-device/block-window';
import { readU16, readU32 } from '../bytes/little-endian';
import { detectFilesystem } from './detect-filesystem';
import { PartitionTableError } from './partition-errors';
import { SECTOR_SIZES, type Partition, type PartitionTable } from './partition-table';

const RECORD_BYTES = 512;
const BOOT_SIGNATURE = 0xaa55;
const TABLE_OFFSET = 446;
const ENTRY_BYTES = 16;
const PROTECTIVE_TYPE = 0xee;
const EXTENDED_TYPES: ReadonlySet<number> = new Set([0x05, 0x0f, 0x85]);
/** The kernel numbers no more than this; a chain of extended records that goes on is a loop or nonsense. */
const MAX_LOGICAL_PARTITIONS = 250;

interface Entry {
  readonly bootFlag: number;
  readonly type: number;
  readonly firstSector: number;
  readonly sectors: number;
}

/**
 * Undefined when the first sector is no partition table; `protective` when it stands guard over a GPT.
 *
 * An MBR does not say how long its sectors are. They are taken for 512 bytes, unless only with 4096 something known
 * stands where a partition begins.
 *
 * @throws PartitionTableError when a partition lies outside the disk, or the chain of extended records is broken
 */
export async function readMbr(
  reader: BlockReader,
  firstSector: Uint8Array,
): Promise<PartitionTable | 'protective' | undefined> {
  const entries = parseRecord(firstSector);
  if (!entries || isBootSectorOfFilesystem(firstSector)) return undefined;
  if (entries.some((entry) => entry.type === PROTECTIVE_TYPE)) return 'protective';
  if (entries.some((entry) => entry.bootFlag !== 0 && entry.bootFlag !== 0x80)) return undefined;
  if (!entries.some((entry) => isUsed(entry))) return undefined;

  const diskUuid = readU32(firstSector, 440).toString(16).padStart(8, '0');
  const tables: (Partition[] | PartitionTableError)[] = [];
  for (const sectorBytes of SECTOR_SIZES) {
    const partitions = await readPartitions({ reader, diskUuid, sectorBytes }, entries);
    tables.push(partitions);
    if (Array.isArray(partitions) && (await holdsSomething(reader, partitions)))
      return { scheme: 'mbr', diskUuid, partitions };
  }
  const [usual] = tables;
  if (!Array.isArray(usual)) throw usual!;
  return { scheme: 'mbr', diskUuid, partitions: usual };
}

/** A disk whose sectors are taken to be of this length. */
interface Disk {
  readonly reader: BlockReader;
  readonly diskUuid: string;
  readonly sectorBytes: number;
}

async function readPartitions(
  disk: Disk,
  entries: readonly Entry[],
): Promise<Partition[] | PartitionTableError> {
  try {
    const partitions: Partition[] = [];
    for (const [index, entry] of entries.entries()) {
      if (!isUsed(entry)) continue;
      if (EXTENDED_TYPES.has(entry.type)) partitions.push(...(await readLogical(disk, entry)));
      else partitions.push(partition(disk, index + 1, entry.type, entry.firstSector, entry.sectors));
    }
    return partitions;
  } catch (error) {
    if (error instanceof PartitionTableError) return error;
    throw error;
  }
}

async function holdsSomething(reader: BlockReader, partitions: readonly Partition[]): Promise<boolean> {
  for (const { offsetBytes, sizeBytes } of partitions) {
    const kind = await detectFilesystem(new BlockWindow(reader, offsetBytes, sizeBytes));
    if (kind !== 'unknown') return true;
  }
  return false;
}

/** Each extended record describes one logical partition and points to the next record. */
async function readLogical(disk: Disk, extended: Entry): Promise<Partition[]> {
  const { reader, sectorBytes } = disk;
  const found: Partition[] = [];
  const seen = new Set<number>();
  let record = extended.firstSector;
  while (!seen.has(record) && found.length < MAX_LOGICAL_PARTITIONS) {
    seen.add(record);
    if ((record + 1) * sectorBytes > reader.sizeBytes) {
      throw new PartitionTableError('an extended record lies outside the disk', { record });
    }
    const entries = parseRecord(await reader.read(record * sectorBytes, RECORD_BYTES));
    if (!entries) throw new PartitionTableError('an extended record has no signature', { record });
    const logical = entries.find((entry) => isUsed(entry) && !EXTENDED_TYPES.has(entry.type));
    if (logical) {
      const number = 5 + found.length;
      found.push(partition(disk, number, logical.type, record + logical.firstSector, logical.sectors));
    }
    const next = entries.find((entry) => isUsed(entry) && EXTENDED_TYPES.has(entry.type));
    if (!next) return found;
    record = extended.firstSector + next.firstSector;
  }
  throw new PartitionTableError('the chain of extended records has no end', { records: seen.size });
}

function partition(
  { reader, diskUuid, sectorBytes }: Disk,
  number: number,
  typeByte: number,
  firstSector: number,
  sectors: number,
): Partition {
  if ((firstSector + sectors) * sectorBytes > reader.sizeBytes) {
    throw new PartitionTableError('a partition lies outside the disk', { number, firstSector, sectors });
  }
  return {
    number,
    offsetBytes: firstSector * sectorBytes,
    sizeBytes: sectors * sectorBytes,
    typeByte,
    partUuid: `${diskUuid}-${number.toString(16).padStart(2, '0')}`,
  };
}

function isUsed(entry: Entry): boolean {
  return entry.type !== 0 && entry.sectors > 0;
}

function parseRecord(sector: Uint8Array): Entry[] | undefined {
  if (readU16(sector, 510) !== BOOT_SIGNATURE) return undefined;
  return [0, 1, 2, 3].map((index) => {
    const at = TABLE_OFFSET + index * ENTRY_BYTES;
    return {
      bootFlag: sector[at]!,
      type: sector[at + 4]!,
      firstSector: readU32(sector, at + 8),
      sectors: readU32(sector, at + 12),
    };
  });
}

/** FAT and NTFS put a boot sector with the same signature where a partition table would be. */
function isBootSectorOfFilesystem(sector: Uint8Array): boolean {
  const text = (from: number, to: number): string =>
    Buffer.from(sector.subarray(from, to)).toString('latin1');
  return text(54, 57) === 'FAT' || text(82, 85) === 'FAT' || text(3, 7) === 'NTFS';
}
