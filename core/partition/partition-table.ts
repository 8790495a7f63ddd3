import type { BlockReader } from '../block-device/block-device';
import { readGpt } from './gpt';
import { readMbr } from './mbr';
import { PartitionTableError } from './partition-errors';

/** One partition, with the names by which fstab and boot loaders call it. */
export interface Partition {
  /** As in /dev/xvda1. Logical partitions of an MBR start at 5. */
  readonly number: number;
  readonly offsetBytes: number;
  readonly sizeBytes: number;
  /** GPT: lower-case GUID of the type. */
  readonly typeGuid?: string;
  /** MBR: type byte. */
  readonly typeByte?: number;
  /** As in PARTUUID=: a lower-case GUID, or the MBR's `xxxxxxxx-nn`. */
  readonly partUuid: string;
  /** GPT: as in PARTLABEL=. */
  readonly name?: string;
}

export interface PartitionTable {
  /** `none` is a bare filesystem, or an empty disk. */
  readonly scheme: 'gpt' | 'mbr' | 'none';
  readonly diskUuid?: string;
  readonly partitions: readonly Partition[];
}

/** Logical sectors that disks have. EBS volumes have 512; images from elsewhere may have 4096. */
export const SECTOR_SIZES = [512, 4096] as const;

/**
 * Reads the table of a disk: GPT (UEFI specification 2.10, chapter 5) by its primary or backup copy, else MBR with
 * logical partitions.
 * @throws PartitionTableError when a table is there but damaged, or says what the disk cannot hold
 */
export async function readPartitionTable(reader: BlockReader): Promise<PartitionTable> {
  if (reader.sizeBytes < 2 * 4096) return { scheme: 'none', partitions: [] };
  const firstSector = await reader.read(0, 512);
  const mbr = await readMbr(reader, firstSector);
  if (mbr === 'protective') {
    const gpt = await readGpt(reader);
    if (!gpt) {
      throw new PartitionTableError('the disk says it has a GPT, but neither copy of it is intact');
    }
    return gpt;
  }
  return mbr ?? { scheme: 'none', partitions: [] };
}
