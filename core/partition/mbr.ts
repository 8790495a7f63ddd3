import type { BlockReader } from '../block-device/block-device';
import { readU16, readU32 } from '../bytes/little-endian';
import { PartitionTableError } from './partition-errors';
import type { Partition, PartitionTable } from './partition-table';

const SECTOR_BYTES = 512;
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
 * Sectors are taken to be 512 bytes: an MBR does not say.
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
  const partitions: Partition[] = [];
  for (const [index, entry] of entries.entries()) {
    if (!isUsed(entry)) continue;
    if (!EXTENDED_TYPES.has(entry.type)) {
      partitions.push(partition(reader, diskUuid, index + 1, entry.type, entry.firstSector, entry.sectors));
    } else {
      partitions.push(...(await readLogical(reader, diskUuid, entry)));
    }
  }
  return { scheme: 'mbr', diskUuid, partitions };
}

/** Each extended record describes one logical partition and points to the next record. */
async function readLogical(reader: BlockReader, diskUuid: string, extended: Entry): Promise<Partition[]> {
  const found: Partition[] = [];
  const seen = new Set<number>();
  let record = extended.firstSector;
  while (!seen.has(record) && found.length < MAX_LOGICAL_PARTITIONS) {
    seen.add(record);
    if ((record + 1) * SECTOR_BYTES > reader.sizeBytes) {
      throw new PartitionTableError('an extended record lies outside the disk', { record });
    }
    const entries = parseRecord(await reader.read(record * SECTOR_BYTES, SECTOR_BYTES));
    if (!entries) throw new PartitionTableError('an extended record has no signature', { record });
    const logical = entries.find((entry) => isUsed(entry) && !EXTENDED_TYPES.has(entry.type));
    if (logical) {
      const number = 5 + found.length;
      found.push(
        partition(reader, diskUuid, number, logical.type, record + logical.firstSector, logical.sectors),
      );
    }
    const next = entries.find((entry) => isUsed(entry) && EXTENDED_TYPES.has(entry.type));
    if (!next) return found;
    record = extended.firstSector + next.firstSector;
  }
  throw new PartitionTableError('the chain of extended records has no end', { records: seen.size });
}

function partition(
  reader: BlockReader,
  diskUuid: string,
  number: number,
  typeByte: number,
  firstSector: number,
  sectors: number,
): Partition {
  if ((firstSector + sectors) * SECTOR_BYTES > reader.sizeBytes) {
    throw new PartitionTableError('a partition lies outside the disk', { number, firstSector, sectors });
  }
  return {
    number,
    offsetBytes: firstSector * SECTOR_BYTES,
    sizeBytes: sectors * SECTOR_BYTES,
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
