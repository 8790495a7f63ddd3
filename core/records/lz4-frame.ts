import { ImageElvesError } from '../errors';
import { readU16, readU32, readU8 } from '../bytes/little-endian';

/** Bytes that are no LZ4 frame, or a damaged one. */
export class Lz4Error extends ImageElvesError {
  override readonly name = 'Lz4Error';
  constructor(problem: string, offsetBytes: number) {
    super(`Not an intact LZ4 frame: ${problem} at byte ${offsetBytes}.`, { problem, offsetBytes });
  }
}

const FRAME_MAGIC = 0x184d2204;
/** The form before frames, which Linux unpacks (`lz4 -l`): sizes and blocks up to the end. */
const LEGACY_MAGIC = 0x184c2102;
/** 16 magic numbers mark frames that are to be skipped. */
const SKIPPABLE_MAGIC = 0x184d2a50;
const STORED_BLOCK = 0x8000_0000;
const SHORTEST_MATCH = 4;
const LENGTH_GOES_ON = 15;

/**
 * Unpacks LZ4 frames (lz4_Frame_format.md 1.6): Node has no LZ4, and apt may keep its lists so. Checksums are not compared:
 * what is unpacked says itself whether it is a list.
 *
 * @throws Lz4Error for what is no frame, and for more than `mostBytes` of output
 */
export function unpackLz4(packed: Uint8Array, mostBytes: number): Uint8Array {
  const output = new GrowingBytes(mostBytes);
  let at = 0;
  while (at + 4 <= packed.length) {
    const magic = readU32(packed, at);
    if (magic >>> 4 === SKIPPABLE_MAGIC >>> 4) at += 8 + readAt(readU32, packed, at + 4);
    else if (magic === FRAME_MAGIC) at = unpackFrame(packed, at + 4, output);
    else if (magic === LEGACY_MAGIC) at = unpackLegacy(packed, at + 4, output);
    else throw new Lz4Error('another magic number', at);
  }
  if (at !== packed.length) throw new Lz4Error('no end', at);
  return output.bytes();
}

function unpackFrame(packed: Uint8Array, start: number, output: GrowingBytes): number {
  const flags = readAt(readU8, packed, start);
  if (flags >>> 6 !== 1) throw new Lz4Error(`version ${flags >>> 6}`, start);
  const [blockChecksums, hasSize, contentChecksum, hasDictionary] = [0x10, 0x08, 0x04, 0x01].map(
    (bit) => (flags & bit) !== 0,
  );
  if (hasDictionary) throw new Lz4Error('a dictionary', start);
  // The flags, the largest block size, the content size where it is given, the checksum of the header.
  let at = start + 2 + (hasSize ? 8 : 0) + 1;
  for (;;) {
    const word = readAt(readU32, packed, at);
    at += 4;
    if (word === 0) return at + (contentChecksum ? 4 : 0);
    const sizeBytes = word % STORED_BLOCK;
    if (at + sizeBytes > packed.length) throw new Lz4Error('a block beyond the end', at);
    if (word >= STORED_BLOCK) output.append(packed.subarray(at, at + sizeBytes));
    else unpackBlock(packed, at, at + sizeBytes, output);
    at += sizeBytes + (blockChecksums ? 4 : 0);
  }
}

function unpackLegacy(packed: Uint8Array, start: number, output: GrowingBytes): number {
  let at = start;
  while (at + 4 <= packed.length) {
    const sizeBytes = readU32(packed, at);
    if (sizeBytes === LEGACY_MAGIC || sizeBytes === FRAME_MAGIC) return at;
    at += 4;
    if (at + sizeBytes > packed.length) throw new Lz4Error('a block beyond the end', at);
    unpackBlock(packed, at, at + sizeBytes, output);
    at += sizeBytes;
  }
  return at;
}

/** lz4_Block_format.md: turns of literals and a copy of what was put out before. */
function unpackBlock(packed: Uint8Array, start: number, end: number, output: GrowingBytes): void {
  let at = start;
  const lengthFrom = (nibble: number): number => {
    let length = nibble;
    for (let more = nibble === LENGTH_GOES_ON ? 255 : 0; more === 255; length += more) {
      if (at >= end) throw new Lz4Error('a length beyond its block', at);
      more = readU8(packed, at++);
    }
    return length;
  };
  while (at < end) {
    const token = readU8(packed, at++);
    const literals = lengthFrom(token >>> 4);
    if (at + literals > end) throw new Lz4Error('literals beyond their block', at);
    output.append(packed.subarray(at, at + literals));
    at += literals;
    if (at === end) return;
    if (at + 2 > end) throw new Lz4Error('an offset beyond its block', at);
    const offset = readU16(packed, at);
    at += 2;
    const length = lengthFrom(token & 15) + SHORTEST_MATCH;
    if (!output.repeat(offset, length)) throw new Lz4Error('a copy from before the start', at);
  }
}

function readAt(
  read: (bytes: Uint8Array, offset: number) => number,
  packed: Uint8Array,
  offset: number,
): number {
  if (offset + 4 > packed.length) throw new Lz4Error('no end', offset);
  return read(packed, offset);
}

class GrowingBytes {
  private buffer = new Uint8Array(1024 * 1024);
  private length = 0;

  constructor(private readonly mostBytes: number) {}

  bytes(): Uint8Array {
    return this.buffer.subarray(0, this.length);
  }

  append(bytes: Uint8Array): void {
    this.makeRoom(bytes.length);
    this.buffer.set(bytes, this.length);
    this.length += bytes.length;
  }

  /** Appends `count` bytes from `offset` before the end; they may overlap what is appended. */
  repeat(offset: number, count: number): boolean {
    if (offset === 0 || offset > this.length) return false;
    this.makeRoom(count);
    const from = this.length - offset;
    if (offset >= count) this.buffer.copyWithin(this.length, from, from + count);
    else
      for (let done = 0; done < count; done++)
        this.buffer[this.length + done] = this.buffer[from + done] ?? 0;
    this.length += count;
    return true;
  }

  private makeRoom(count: number): void {
    const needed = this.length + count;
    if (needed > this.mostBytes)
      throw new Lz4Error(`more than ${this.mostBytes} bytes of content`, this.length);
    if (needed <= this.buffer.length) return;
    const larger = new Uint8Array(Math.min(this.mostBytes, Math.max(needed, this.buffer.length * 2)));
    larger.set(this.bytes());
    this.buffer = larger;
  }
}
