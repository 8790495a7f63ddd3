import { readU32BE } from '../../bytes/big-endian';
import { readU16, readU32 } from '../../bytes/little-endian';
import { isUuidAt } from './block-stamp';
import { isRecordHeader, LOG_BLOCK_BYTES, type LogBlocks } from './log-blocks';

const HEADER_CYCLES_AT = 44;
/** Cycle words that one header has room for: more make more headers. */
const CYCLES_PER_HEADER = 64;
const FORMAT_AT = 300;
const UUID_AT = 304;
const SIZE_AT = 320;
/** Byte order of what is in the record: that of x86 and ARM. */
const FORMAT_LITTLE_ENDIAN = 1;
/** XLOG_MAX_RECORD_BSIZE and what a stripe unit may add. */
const MAX_RECORD_BYTES = 512 * 1024;

/** One record of the log (struct xlog_rec_header). Places are blocks of the log. */
export interface LogRecord {
  readonly block: number;
  /** Blocks of headers, then of content. */
  readonly headers: number;
  readonly blocks: number;
  /** Of the oldest record that the kernel would replay when this one is the last. */
  readonly tailBlock: number;
  readonly operationCount: number;
  readonly isLittleEndian: boolean;
  readonly uuid: Uint8Array;
}

/** One operation of a record (struct xlog_op_header) and its bytes. */
export interface LogOperation {
  readonly flags: number;
  readonly bytes: Uint8Array;
}

export const OperationFlag = {
  START: 0x1,
  COMMIT: 0x2,
  CONTINUE: 0x4,
  WAS_CONTINUED: 0x8,
  END: 0x10,
  UNMOUNT: 0x20,
} as const;

const OPERATION_HEADER_BYTES = 12;

/** Undefined when no record begins there, or not one that holds together. */
export function recordAt(log: LogBlocks, block: number): LogRecord | undefined {
  const header = log.read(block, 1);
  if (!isRecordHeader(header, 0)) return undefined;
  const version = readU32BE(header, 8);
  const lengthBytes = readU32BE(header, 12);
  const size = readU32BE(header, SIZE_AT);
  if (lengthBytes > MAX_RECORD_BYTES || size > MAX_RECORD_BYTES) return undefined;
  const headers = version & 2 ? Math.max(1, Math.ceil(size / (CYCLES_PER_HEADER * LOG_BLOCK_BYTES))) : 1;
  const blocks = headers + Math.ceil(lengthBytes / LOG_BLOCK_BYTES);
  if (blocks > log.count) return undefined;
  return {
    block: log.within(block),
    headers,
    blocks,
    tailBlock: readU32BE(header, 28),
    operationCount: readU32BE(header, 40),
    isLittleEndian: readU32BE(header, FORMAT_AT) === FORMAT_LITTLE_ENDIAN,
    uuid: header.subarray(UUID_AT, UUID_AT + 16),
  };
}

/** True for a record of the filesystem of that UUID. */
export function isOfFilesystem({ uuid }: LogRecord, expected: Uint8Array): boolean {
  return isUuidAt(uuid, 0, expected);
}

/**
 * The operations of a record. In the ring the first word of each block is its cycle; the words that belong there stand in
 * the headers.
 * @returns undefined when they do not fill the record as it says
 */
export function operationsOf(log: LogBlocks, record: LogRecord): LogOperation[] | undefined {
  const whole = log.read(record.block, record.blocks);
  const content = whole.slice(record.headers * LOG_BLOCK_BYTES);
  for (let block = 0; block * LOG_BLOCK_BYTES < content.length; block++) {
    const header = Math.floor(block / CYCLES_PER_HEADER);
    if (header >= record.headers) return undefined;
    const cycles = header === 0 ? HEADER_CYCLES_AT : header * LOG_BLOCK_BYTES + 4;
    const at = cycles + (block % CYCLES_PER_HEADER) * 4;
    content.set(whole.subarray(at, at + 4), block * LOG_BLOCK_BYTES);
  }
  const operations: LogOperation[] = [];
  let at = 0;
  for (let operation = 0; operation < record.operationCount; operation++) {
    const from = at + OPERATION_HEADER_BYTES;
    if (from > content.length) return undefined;
    const to = from + readU32BE(content, at + 4);
    if (to > content.length) return undefined;
    operations.push({ flags: content[at + 9]!, bytes: content.subarray(from, to) });
    at = to;
  }
  return operations;
}

const TRANSACTION_MAGIC = 0x5452414e;
const BUFFER_ITEM = 0x123c;

/**
 * Whether operations log the primary superblock and nothing else: transactions of which each item is the buffer at
 * address 0. A transaction is a start, a header, for each item its form and its regions, and a commit.
 */
export function logSuperblockOnly(operations: readonly LogOperation[]): boolean {
  let at = 0;
  while (at < operations.length) {
    const { flags, bytes } = operations[at]!;
    if (flags & (OperationFlag.CONTINUE | OperationFlag.WAS_CONTINUED | OperationFlag.END)) return false;
    if (bytes.length === 0 && flags & (OperationFlag.START | OperationFlag.COMMIT)) {
      at += 1;
    } else if (flags !== 0) {
      return false;
    } else if (bytes.length === 16 && readU32(bytes, 0) === TRANSACTION_MAGIC) {
      at += 1;
    } else {
      const isSuperblock =
        bytes.length >= 20 &&
        readU16(bytes, 0) === BUFFER_ITEM &&
        readU32(bytes, 8) === 0 &&
        readU32(bytes, 12) === 0;
      const regions = isSuperblock ? readU16(bytes, 2) : 0;
      if (regions < 1 || at + regions > operations.length) return false;
      at += regions;
    }
  }
  return true;
}
