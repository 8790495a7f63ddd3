import { readU32BE, writeU32BE } from '../../bytes/big-endian';
import { RecordFormatError } from '../record-errors';

/** What of a package's header is read (rpmtag.h). */
export const TAG = {
  name: 1000,
  version: 1001,
  release: 1002,
  epoch: 1003,
  installTime: 1008,
  arch: 1022,
  installTransaction: 1128,
  fileFlags: 1037,
  directoryIndexes: 1116,
  baseNames: 1117,
  directoryNames: 1118,
  triggers: 1066,
  fileTriggers: 5069,
  transactionFileTriggers: 5079,
} as const;

const INTRODUCTION_BYTES = 8;
const ENTRY_BYTES = 16;
/** rpm's own bounds (lib/header.c): entries, bytes of data. */
const MAX_ENTRIES = 0xffff;
const MAX_DATA_BYTES = 256 * 1024 * 1024;

const TYPE_INT32 = 4;
const TYPE_STRING = 6;
const TYPE_STRING_ARRAY = 8;
/** As many as a package may have files and to spare. */
const MAX_VALUES = 2_000_000;

/**
 * The header of an installed package, as rpm's database holds it: a count of entries, a count of bytes, the entries (tag,
 * type, offset, count; all big-endian) and the data.
 */
export class RpmHeader {
  private readonly entries: number;
  private readonly dataAt: number;
  private readonly dataBytes: number;

  /** @throws RecordFormatError */
  constructor(
    readonly bytes: Uint8Array,
    private readonly codec: string,
  ) {
    if (bytes.length < INTRODUCTION_BYTES) this.fail('a package header without a beginning');
    this.entries = readU32BE(bytes, 0);
    this.dataBytes = readU32BE(bytes, 4);
    this.dataAt = INTRODUCTION_BYTES + this.entries * ENTRY_BYTES;
    if (this.entries > MAX_ENTRIES || this.dataBytes > MAX_DATA_BYTES)
      this.fail('a package header too large');
    if (this.dataAt + this.dataBytes !== bytes.length) this.fail('a package header of another length');
  }

  /** Undefined when there is no such tag. */
  text(tag: number): string | undefined {
    const entry = this.find(tag);
    if (entry === undefined) return undefined;
    const { type, offset } = entry;
    if (type !== TYPE_STRING) this.fail(`tag ${tag} is no text`);
    const data = this.bytes.subarray(this.dataAt, this.dataAt + this.dataBytes);
    const end = offset < data.length ? data.indexOf(0, offset) : -1;
    if (end < 0) this.fail(`tag ${tag} has no end`);
    return Buffer.from(data.subarray(offset, end)).toString('utf8');
  }

  /** None when there is no such tag. */
  texts(tag: number): string[] {
    const entry = this.find(tag);
    if (entry === undefined) return [];
    const { type, offset, count } = entry;
    const isTexts = type === TYPE_STRING_ARRAY || (type === TYPE_STRING && count === 1);
    if (!isTexts || count > MAX_VALUES) this.fail(`tag ${tag} is no list of texts`);
    const data = this.bytes.subarray(this.dataAt, this.dataAt + this.dataBytes);
    const texts: string[] = [];
    for (let at = offset; texts.length < count;) {
      const end = at < data.length ? data.indexOf(0, at) : -1;
      if (end < 0) this.fail(`tag ${tag} has no end`);
      texts.push(Buffer.from(data.buffer, data.byteOffset + at, end - at).toString('utf8'));
      at = end + 1;
    }
    return texts;
  }

  /** None when there is no such tag. */
  numbers(tag: number): number[] {
    const entry = this.find(tag);
    if (entry === undefined) return [];
    const { type, offset, count } = entry;
    if (type !== TYPE_INT32 || offset + count * 4 > this.dataBytes)
      this.fail(`tag ${tag} is no list of numbers`);
    return Array.from({ length: count }, (_, index) =>
      readU32BE(this.bytes, this.dataAt + offset + index * 4),
    );
  }

  /** Paths of the files of the package, in its order. */
  files(): string[] {
    const folders = this.texts(TAG.directoryNames);
    const indexes = this.numbers(TAG.directoryIndexes);
    return this.texts(TAG.baseNames).map((name, file) => (folders[indexes[file] ?? -1] ?? '') + name);
  }

  number(tag: number): number | undefined {
    const at = this.numberAt(tag);
    return at === undefined ? undefined : readU32BE(this.bytes, at);
  }

  /** The same header with these numbers; a tag that it lacks stays away. */
  with(numbers: ReadonlyMap<number, number>): Uint8Array {
    const changed = new Uint8Array(this.bytes);
    for (const [tag, value] of numbers) {
      const at = this.numberAt(tag);
      if (at !== undefined) writeU32BE(changed, at, value);
    }
    return changed;
  }

  private numberAt(tag: number): number | undefined {
    const entry = this.find(tag);
    if (entry === undefined) return undefined;
    const { type, offset, count } = entry;
    if (type !== TYPE_INT32 || count < 1 || offset + 4 > this.dataBytes) this.fail(`tag ${tag} is no number`);
    return this.dataAt + offset;
  }

  private find(tag: number): { type: number; offset: number; count: number } | undefined {
    for (let index = 0; index < this.entries; index++) {
      const at = INTRODUCTION_BYTES + index * ENTRY_BYTES;
      if (readU32BE(this.bytes, at) !== tag) continue;
      const offset = readU32BE(this.bytes, at + 8);
      return { type: readU32BE(this.bytes, at + 4), offset, count: readU32BE(this.bytes, at + 12) };
    }
    return undefined;
  }

  private fail(problem: string): never {
    throw new RecordFormatError(this.codec, problem);
  }
}
