import { readU16, readU32, readU8 } from '../../bytes/little-endian';
import { CorruptFilesystemError } from '../errors';

export const BOOT_SECTOR_BYTES = 512;
/** More clusters than this make a FAT16 of a FAT12, as Linux counts (fs/fat/fat.h, MAX_FAT12). */
const MAX_FAT12_CLUSTERS = 0xff4;
/** Where FAT12 and FAT16, and FAT32, keep their serial number and label. */
const EXTENSION = { small: 36, fat32: 64 } as const;

/** A run of sectors where the root directory of FAT12 and FAT16 stands, or the first cluster of FAT32's. */
export type RootPlace =
  { readonly offsetBytes: number; readonly lengthBytes: number } | { readonly cluster: number };

/** The BIOS parameter block (Microsoft FAT specification, "FAT Volume Structure"), worked out. */
export interface FatGeometry {
  readonly bits: 12 | 16 | 32;
  readonly sectorBytes: number;
  readonly clusterBytes: number;
  /** Clusters are numbered from 2 on. */
  readonly clusters: number;
  readonly fatOffsetBytes: number;
  readonly dataOffsetBytes: number;
  readonly sizeBytes: number;
  readonly root: RootPlace;
  /** As blkid(8) writes it: `0A1B-2C3D`. */
  readonly uuid: string;
  /** The eleven bytes of the boot sector. */
  readonly label: Uint8Array;
}

/** @throws CorruptFilesystemError */
export function parseBootSector(sector: Uint8Array): FatGeometry {
  const sectorBytes = readU16(sector, 11);
  const sectorsPerCluster = readU8(sector, 13);
  const reserved = readU16(sector, 14);
  const fats = readU8(sector, 16);
  const rootEntries = readU16(sector, 17);
  const sectors = readU16(sector, 19) || readU32(sector, 32);
  const isFat32 = readU16(sector, 22) === 0;
  const fatSectors = isFat32 ? readU32(sector, 36) : readU16(sector, 22);
  if (!isPowerOfTwo(sectorBytes) || sectorBytes < 512 || sectorBytes > 4096)
    throw wrong('sector size', sectorBytes);
  if (!isPowerOfTwo(sectorsPerCluster)) throw wrong('cluster size', sectorsPerCluster);
  if (reserved === 0) throw wrong('reserved sectors', reserved);
  if (fats === 0 || fatSectors === 0) throw wrong('file allocation tables', fats);
  if ((rootEntries * 32) % sectorBytes !== 0) throw wrong('root directory size', rootEntries);
  const rootSectors = (rootEntries * 32) / sectorBytes;
  const dataSector = reserved + fats * fatSectors + rootSectors;
  if (dataSector >= sectors) throw wrong('start of data', dataSector);
  const clusters = Math.floor((sectors - dataSector) / sectorsPerCluster);
  const bits = isFat32 ? 32 : clusters > MAX_FAT12_CLUSTERS ? 16 : 12;
  // Linux takes a table that is too short for what there is, and uses the clusters that it tells of.
  const counted = Math.min(clusters, Math.floor((fatSectors * sectorBytes * 8) / bits) - 2);
  if (counted < 1) throw wrong('number of clusters', counted);
  const fatOffset = reserved + activeFat(sector, isFat32, fats) * fatSectors;
  const rootOffset = (reserved + fats * fatSectors) * sectorBytes;
  const extension = isFat32 ? EXTENSION.fat32 : EXTENSION.small;
  return {
    bits,
    sectorBytes,
    clusterBytes: sectorBytes * sectorsPerCluster,
    clusters: counted,
    fatOffsetBytes: fatOffset * sectorBytes,
    dataOffsetBytes: dataSector * sectorBytes,
    sizeBytes: sectors * sectorBytes,
    root: isFat32
      ? { cluster: readU32(sector, 44) & 0x0fffffff }
      : { offsetBytes: rootOffset, lengthBytes: rootEntries * 32 },
    uuid: serialText(readU32(sector, extension + 3)),
    label: sector.slice(extension + 7, extension + 18),
  };
}

/** FAT32 may keep one of its tables only, and says which. */
function activeFat(sector: Uint8Array, isFat32: boolean, fats: number): number {
  const flags = isFat32 ? readU16(sector, 40) : 0;
  if ((flags & 0x80) === 0) return 0;
  const active = flags & 0xf;
  if (active >= fats) throw wrong('active file allocation table', active);
  return active;
}

function serialText(serial: number): string {
  const digits = serial.toString(16).padStart(8, '0').toUpperCase();
  return `${digits.slice(0, 4)}-${digits.slice(4)}`;
}

function isPowerOfTwo(value: number): boolean {
  return value > 0 && (value & (value - 1)) === 0;
}

function wrong(what: string, value: number): CorruptFilesystemError {
  return new CorruptFilesystemError(`boot sector: impossible ${what}`, { value });
}
