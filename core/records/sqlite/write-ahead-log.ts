import { readU16BE, readU32BE } from '../../bytes/big-endian';
import { LARGEST_RECORD_FILE_BYTES } from '../read-record-file';
import { RecordFormatError } from '../record-errors';

/** Write-ahead log of an SQLite database (sqlite.org/fileformat2.html, section 4). */
const HEADER_BYTES = 32;
const FRAME_HEADER_BYTES = 24;
const MAGIC_LITTLE_ENDIAN = 0x377f0682;
const MAGIC_BIG_ENDIAN = 0x377f0683;
const FORMAT_VERSION = 3_007_000;
type Checksum = readonly [number, number];

/**
 * The database as a reader sees it: with the pages of every transaction that was committed to the log. What follows the
 * last valid commit is of a transaction that never ended, or left over from before the log was started anew.
 *
 * @throws RecordFormatError when the log is of another database
 */
export function withWriteAheadLog(database: Uint8Array, log: Uint8Array, codec: string): Uint8Array {
  const frames = committedFrames(log);
  if (frames === undefined) return database;
  const { pageSize, pages, pageCount } = frames;
  const own = database.length >= 18 ? readU16BE(database, 16) : 0;
  if (database.length > 0 && (own === 1 ? 65_536 : own) !== pageSize) {
    throw new RecordFormatError(codec, 'its write-ahead log has pages of another size');
  }
  const sizeBytes = pageCount * pageSize;
  // Page numbers are 32 bits: a few bytes of log can ask for any size.
  if (sizeBytes > LARGEST_RECORD_FILE_BYTES) {
    throw new RecordFormatError(codec, `its write-ahead log makes it ${sizeBytes} bytes large`);
  }
  const merged = new Uint8Array(sizeBytes);
  merged.set(database.subarray(0, sizeBytes));
  for (const [number, data] of pages) {
    if (number <= pageCount) merged.set(data, (number - 1) * pageSize);
  }
  return merged;
}

/** Undefined when nothing was committed. */
function committedFrames(
  log: Uint8Array,
): { pageSize: number; pages: ReadonlyMap<number, Uint8Array>; pageCount: number } | undefined {
  if (log.length < HEADER_BYTES) return undefined;
  const magic = readU32BE(log, 0);
  if (magic !== MAGIC_LITTLE_ENDIAN && magic !== MAGIC_BIG_ENDIAN) return undefined;
  const pageSize = readU32BE(log, 8);
  const isPageSize = pageSize >= 512 && pageSize <= 65_536 && (pageSize & (pageSize - 1)) === 0;
  if (readU32BE(log, 4) !== FORMAT_VERSION || !isPageSize) return undefined;
  const bigEndian = magic === MAGIC_BIG_ENDIAN;
  let sum = checksum([0, 0], log.subarray(0, 24), bigEndian);
  if (!isAt(sum, log, 24)) return undefined;

  const committed = new Map<number, Uint8Array>();
  let pending: [number: number, data: Uint8Array][] = [];
  let pageCount = 0;
  const frameBytes = FRAME_HEADER_BYTES + pageSize;
  for (let at = HEADER_BYTES; at + frameBytes <= log.length; at += frameBytes) {
    const saltsMatch =
      readU32BE(log, at + 8) === readU32BE(log, 16) && readU32BE(log, at + 12) === readU32BE(log, 20);
    const number = readU32BE(log, at);
    if (!saltsMatch || number === 0) break;
    const data = log.subarray(at + FRAME_HEADER_BYTES, at + frameBytes);
    sum = checksum(checksum(sum, log.subarray(at, at + 8), bigEndian), data, bigEndian);
    if (!isAt(sum, log, at + 16)) break;
    pending.push([number, data]);
    const sizeAfterCommit = readU32BE(log, at + 4);
    if (sizeAfterCommit === 0) continue;
    for (const [page, bytes] of pending) committed.set(page, bytes);
    pending = [];
    pageCount = sizeAfterCommit;
  }
  return pageCount === 0 ? undefined : { pageSize, pages: committed, pageCount };
}

function checksum([first, second]: Checksum, bytes: Uint8Array, bigEndian: boolean): Checksum {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let a = first;
  let b = second;
  for (let at = 0; at + 8 <= bytes.length; at += 8) {
    a = (a + view.getUint32(at, !bigEndian) + b) >>> 0;
    b = (b + view.getUint32(at + 4, !bigEndian) + a) >>> 0;
  }
  return [a, b];
}

function isAt([first, second]: Checksum, log: Uint8Array, at: number): boolean {
  return readU32BE(log, at) === first && readU32BE(log, at + 4) === second;
}
