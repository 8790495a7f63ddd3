import { crc32 } from 'node:zlib';
import type { BlockReader } from '../block-device/block-device';
import { readU32, readU64 } from '../bytes/little-endian';
import { LvmMetadataError } from './lvm-errors';

/** On-disk layout: lib/format_text/layout.h and lib/label/label.h of LVM2. */
const SECTOR_BYTES = 512;
const LABEL_SECTORS = 4;
const LABEL_ID = 'LABELONE';
const LABEL_TYPE = 'LVM2 001';
const UUID_BYTES = 32;
const AREA_HEADER_BYTES = 512;
const AREA_MAGIC = ' LVM2 x[5A%r0N*>';
const AREA_IGNORED = 0x1;
/** LVM makes one or two areas of either sort. */
const MAX_AREAS = 16;
/** Far above what a group of thousands of volumes takes. */
const MAX_TEXT_BYTES = 16 * 1024 * 1024;
const CRC_START = 0xf597a6cf;

/** One disk or partition of a volume group. */
export interface PhysicalVolume {
  /** As `pvs -o uuid` shows it. */
  readonly uuid: string;
  /** The group's metadata as this volume keeps it; undefined when it keeps none. */
  readonly metadataText: string | undefined;
}

/**
 * Reads the label of a physical volume and the metadata that it keeps.
 *
 * @returns undefined when there is no intact label: LVM does not take it for a physical volume either
 * @throws LvmMetadataError when the label holds and what it points to does not
 */
export async function readPhysicalVolume(device: BlockReader): Promise<PhysicalVolume | undefined> {
  const lengthBytes = Math.min(LABEL_SECTORS * SECTOR_BYTES, device.sizeBytes);
  const head = await device.read(0, lengthBytes);
  for (let sector = 0; (sector + 1) * SECTOR_BYTES <= head.length; sector++) {
    const label = head.subarray(sector * SECTOR_BYTES, (sector + 1) * SECTOR_BYTES);
    if (!isLabel(label, sector)) continue;
    const start = readU32(label, 20);
    if (start < 32 || start + UUID_BYTES + 8 > SECTOR_BYTES) throw wrong('a label without a header');
    const uuid = uuidText(latin1(label.subarray(start, start + UUID_BYTES)));
    const areas = metadataAreas(label, start + UUID_BYTES + 8);
    return { uuid, metadataText: await firstText(device, areas) };
  }
  return undefined;
}

/** `abcdef-0123-…`: groups of 6, 4, 4, 4, 4, 4 and 6 characters. */
function uuidText(id: string): string {
  return id.replace(/^(.{6})(.{4})(.{4})(.{4})(.{4})(.{4})(.{6})$/s, '$1-$2-$3-$4-$5-$6-$7');
}

function isLabel(label: Uint8Array, sector: number): boolean {
  return (
    latin1(label.subarray(0, 8)) === LABEL_ID &&
    latin1(label.subarray(24, 32)) === LABEL_TYPE &&
    readU32(label, 8) === sector &&
    readU32(label, 12) === 0 &&
    readU32(label, 16) === lvmChecksum(label.subarray(20))
  );
}

interface Area {
  readonly offsetBytes: number;
  readonly lengthBytes: number;
}

/** Two lists, each ended by a zero: first the areas of data, then those of metadata. */
function metadataAreas(label: Uint8Array, start: number): Area[] {
  const lists: Area[][] = [[], []];
  let at = start;
  for (const list of lists) {
    for (;;) {
      if (at + 16 > label.length || list.length > MAX_AREAS) throw wrong('a list of areas without an end');
      const offsetBytes = readU64(label, at);
      const lengthBytes = readU64(label, at + 8);
      at += 16;
      if (offsetBytes === 0) break;
      list.push({ offsetBytes, lengthBytes });
    }
  }
  return lists[1]!;
}

/** The second area is a copy of the first, for when that one is damaged. */
async function firstText(device: BlockReader, areas: readonly Area[]): Promise<string | undefined> {
  let problem: LvmMetadataError | undefined;
  for (const area of areas) {
    try {
      const text = await readText(device, area);
      if (text !== undefined) return text;
    } catch (error) {
      if (!(error instanceof LvmMetadataError)) throw error;
      problem ??= error;
    }
  }
  if (problem !== undefined) throw problem;
  return undefined;
}

/** Undefined when the area is empty or not in use. */
async function readText(device: BlockReader, area: Area): Promise<string | undefined> {
  if (area.lengthBytes < 2 * AREA_HEADER_BYTES || area.offsetBytes + area.lengthBytes > device.sizeBytes)
    throw wrong('a metadata area outside the device');
  const header = await device.read(area.offsetBytes, AREA_HEADER_BYTES);
  if (latin1(header.subarray(4, 20)) !== AREA_MAGIC || readU32(header, 20) !== 1)
    throw wrong('a metadata area without its magic');
  if (readU32(header, 0) !== lvmChecksum(header.subarray(4))) throw wrong('a metadata header checksum');
  if (readU64(header, 24) !== area.offsetBytes) throw wrong('a metadata area that stands elsewhere');
  const offset = readU64(header, 40);
  const length = readU64(header, 48);
  if (offset === 0 || (readU32(header, 60) & AREA_IGNORED) !== 0) return undefined;
  const ring = area.lengthBytes - AREA_HEADER_BYTES;
  if (offset < AREA_HEADER_BYTES || offset >= area.lengthBytes || length > Math.min(ring, MAX_TEXT_BYTES))
    throw wrong('metadata outside its area');
  // The area is a ring: text that does not fit before its end goes on behind the header.
  const untilEnd = Math.min(length, area.lengthBytes - offset);
  const bytes = new Uint8Array(length);
  bytes.set(await device.read(area.offsetBytes + offset, untilEnd));
  if (length > untilEnd) {
    bytes.set(await device.read(area.offsetBytes + AREA_HEADER_BYTES, length - untilEnd), untilEnd);
  }
  if (readU32(header, 56) !== lvmChecksum(bytes)) throw wrong('a checksum of the metadata text');
  return latin1(bytes).replace(/\0.*$/s, '');
}

/** CRC-32 with a start of LVM's own and without the inversions of zlib's. */
function lvmChecksum(bytes: Uint8Array): number {
  return ~crc32(bytes, ~CRC_START >>> 0) >>> 0;
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('latin1');
}

function wrong(what: string): LvmMetadataError {
  return new LvmMetadataError(what);
}
