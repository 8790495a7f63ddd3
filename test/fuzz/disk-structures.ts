import { crc32 } from 'node:zlib';
import { readU16, readU32, readU64, writeU32 } from '../../core/bytes/little-endian';
import type { MutableImage } from './mutable-image';
import { rewrite, type Structure } from './structure';

const SECTOR = 512;

/** GPT header and entries, sealed by both of their checksums; or an MBR and its extended records. */
export function partitionStructures(bytes: Uint8Array): Structure[] {
  if (Buffer.from(bytes.subarray(SECTOR, SECTOR + 8)).toString('latin1') === 'EFI PART') {
    const places = [SECTOR, bytes.length - SECTOR];
    return [
      { kind: 'MBR', offset: 0, length: SECTOR },
      ...places.flatMap((header): Structure[] => {
        const entries = readU64(bytes, header + 72) * SECTOR;
        const length = readU32(bytes, header + 80) * readU32(bytes, header + 84);
        const seal = (image: MutableImage): void => sealGpt(image, header, entries, length);
        return [
          { kind: 'GPT header', offset: header, length: 92, seal },
          { kind: 'GPT entries', offset: entries, length: 4 * 128, seal },
        ];
      }),
    ];
  }
  if (readU16(bytes, 510) !== 0xaa55) return [];
  const found: Structure[] = [{ kind: 'MBR', offset: 440, length: 72 }];
  const extended = [0, 1, 2, 3].map((index) => 446 + index * 16).find((at) => bytes[at + 4] === 5);
  if (extended !== undefined) {
    const offset = readU32(bytes, extended + 8) * SECTOR;
    found.push({ kind: 'extended record', offset: offset + 446, length: 66 });
  }
  return found;
}

function sealGpt(image: MutableImage, header: number, entries: number, length: number): void {
  rewrite(image, { offset: header, length: 92 }, (bytes) => {
    writeU32(bytes, 88, crc32(image.bytes.subarray(entries, entries + length)));
    writeU32(bytes, 16, 0);
    writeU32(bytes, 16, crc32(bytes));
  });
}

const LVM_START = 0xf597a6cf;
const AREA = 4096;

/** Label, metadata header and text of a physical volume as pvcreate(8) lays them out. */
export function lvmStructures(bytes: Uint8Array): Structure[] {
  if (Buffer.from(bytes.subarray(SECTOR, SECTOR + 8)).toString('latin1') !== 'LABELONE') return [];
  const text = { offset: AREA + readU64(bytes, AREA + 40), length: readU64(bytes, AREA + 48) };
  const sealHeader = (image: MutableImage): void =>
    rewrite(image, { offset: AREA, length: SECTOR }, (header) =>
      writeU32(header, 0, lvmSum(header.subarray(4))),
    );
  return [
    {
      kind: 'LVM label',
      offset: SECTOR,
      length: 128,
      seal: (image) =>
        rewrite(image, { offset: SECTOR, length: SECTOR }, (label) =>
          writeU32(label, 16, lvmSum(label.subarray(20))),
        ),
    },
    { kind: 'LVM metadata header', offset: AREA, length: 64, seal: sealHeader },
    {
      kind: 'LVM metadata text',
      ...text,
      seal: (image) => {
        rewrite(image, { offset: AREA, length: SECTOR }, (header) =>
          writeU32(header, 56, lvmSum(image.bytes.subarray(text.offset, text.offset + text.length))),
        );
        sealHeader(image);
      },
    },
  ];
}

function lvmSum(bytes: Uint8Array): number {
  return ~crc32(bytes, ~LVM_START >>> 0) >>> 0;
}

/** Boot sector, the tables' first entries, and every cluster that is not empty. */
export function fatStructures(bytes: Uint8Array): Structure[] {
  const found: Structure[] = [{ kind: 'FAT boot sector', offset: 0, length: 96 }];
  const reserved = readU16(bytes, 14) * SECTOR;
  found.push({ kind: 'file allocation table', offset: reserved, length: 128 });
  for (let offset = reserved; offset < bytes.length; offset += SECTOR) {
    const sector = bytes.subarray(offset, offset + SECTOR);
    // File contents are all of one byte in the corpus.
    if (sector[0] !== 0 && sector[0] !== sector[100])
      found.push({ kind: 'FAT sector', offset, length: SECTOR });
  }
  return found;
}
