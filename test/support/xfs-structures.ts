import { crc32c, CRC32C_START, crc32cZeros } from '../../core/bytes/checksum';

/** A piece of XFS metadata of version 5 that carries a checksum. */
export interface XfsStructure {
  readonly kind: string;
  readonly offset: number;
  readonly length: number;
  /** Where in it the checksum is. */
  readonly crc: number;
}

interface Known {
  readonly kind: string;
  readonly magic: number;
  /** Where in the structure the magic is, and how many bytes. */
  readonly at: number;
  readonly width: 2 | 4;
  readonly crc: number;
  readonly unit: 'sector' | 'block' | 'inode' | 'directory block';
}

const KNOWN: readonly Known[] = [
  { kind: 'superblock', magic: 0x58465342, at: 0, width: 4, crc: 224, unit: 'sector' },
  { kind: 'AGF', magic: 0x58414746, at: 0, width: 4, crc: 216, unit: 'sector' },
  { kind: 'AGI', magic: 0x58414749, at: 0, width: 4, crc: 312, unit: 'sector' },
  { kind: 'inode tree', magic: 0x49414233, at: 0, width: 4, crc: 52, unit: 'block' },
  { kind: 'free inode tree', magic: 0x46494233, at: 0, width: 4, crc: 52, unit: 'block' },
  { kind: 'extent tree', magic: 0x424d4133, at: 0, width: 4, crc: 64, unit: 'block' },
  { kind: 'directory block', magic: 0x58444233, at: 0, width: 4, crc: 4, unit: 'directory block' },
  { kind: 'directory data', magic: 0x58444433, at: 0, width: 4, crc: 4, unit: 'directory block' },
  { kind: 'attribute value', magic: 0x5841524d, at: 0, width: 4, crc: 12, unit: 'block' },
  { kind: 'symbolic link', magic: 0x58534c4d, at: 0, width: 4, crc: 12, unit: 'block' },
  { kind: 'attribute leaf', magic: 0x3bee, at: 8, width: 2, crc: 12, unit: 'block' },
  { kind: 'attribute node', magic: 0x3ebe, at: 8, width: 2, crc: 12, unit: 'block' },
  { kind: 'inode', magic: 0x494e, at: 0, width: 2, crc: 100, unit: 'inode' },
];

/**
 * Everything in an image that looks like metadata and whose checksum holds: what is in use, and what was once. Version 4
 * has no checksums; there everything counts that has the magic.
 */
export function findXfsStructures(image: Uint8Array): XfsStructure[] {
  const view = new DataView(image.buffer, image.byteOffset, image.byteLength);
  const blockSize = view.getUint32(4);
  const units = {
    sector: view.getUint16(102),
    block: blockSize,
    inode: view.getUint16(104),
    'directory block': blockSize << image[192]!,
  };
  const found: XfsStructure[] = [];
  for (const { kind, magic, at, width, crc, unit } of KNOWN) {
    const length = units[unit];
    const step = unit === 'directory block' ? blockSize : length;
    for (let offset = 0; offset + length <= image.length; offset += step) {
      const value = width === 4 ? view.getUint32(offset + at) : view.getUint16(offset + at);
      const structure = { kind, offset, length, crc };
      if (value === magic && view.getUint32(offset + crc, true) === checksum(image, structure)) {
        found.push(structure);
      }
    }
  }
  return found;
}

/** Makes the checksum of a structure right again. */
export function sealXfsStructure(image: Uint8Array, structure: XfsStructure): void {
  const view = new DataView(image.buffer, image.byteOffset, image.byteLength);
  view.setUint32(structure.offset + structure.crc, checksum(image, structure), true);
}

function checksum(image: Uint8Array, { offset, length, crc }: XfsStructure): number {
  const before = crc32cZeros(crc32c(CRC32C_START, image, offset, offset + crc), 4);
  return ~crc32c(before, image, offset + crc + 4, offset + length) >>> 0;
}
