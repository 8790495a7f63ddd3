import { readU32BE, writeU32BE } from '../../bytes/big-endian';
import { decodeName } from '../../bytes/names';
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
  preInstall: 1023,
  postInstall: 1024,
  preRemove: 1025,
  postRemove: 1026,
  oldFileNames: 1027,
  fileStates: 1029,
  fileFlags: 1037,
  fileVerifyFlags: 1045,
  triggerScripts: 1065,
  directoryIndexes: 1116,
  baseNames: 1117,
  directoryNames: 1118,
  triggers: 1066,
  preTransaction: 1151,
  postTransaction: 1152,
  fileTriggerScripts: 5066,
  fileTriggers: 5069,
  transactionFileTriggerScripts: 5076,
  transactionFileTriggers: 5079,
} as const;

const INTRODUCTION_BYTES = 8;
const ENTRY_BYTES = 16;
/** rpm's own bounds (lib/header.c): entries, bytes of data. */
const MAX_ENTRIES = 0xffff;
const MAX_DATA_BYTES = 256 * 1024 * 1024;

const TYPE_CHAR = 1;
const TYPE_INT8 = 2;
const TYPE_INT32 = 4;
const TYPE_STRING = 6;
const TYPE_STRING_ARRAY = 8;
/** As many as a package may have files and to spare. */
const MAX_VALUES = 2_000_000;
/** PATH_MAX (limits.h). */
const MAX_PATH_LENGTH = 4096;
/** A package of a hundred thousand files has some ten million: few bytes of a header may name many long paths. */
const MAX_PATHS_LENGTH = 64 * 1024 * 1024;

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
      texts.push(decodeName(data.subarray(at, end)));
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

  /** Of numbers that take a byte each; none when there is no such tag. */
  bytesOf(tag: number): Uint8Array {
    const entry = this.find(tag);
    if (entry === undefined) return new Uint8Array();
    const { type, offset, count } = entry;
    if ((type !== TYPE_CHAR && type !== TYPE_INT8) || offset + count > this.dataBytes)
      this.fail(`tag ${tag} is no list of bytes`);
    return this.bytes.subarray(this.dataAt + offset, this.dataAt + offset + count);
  }

  /**
   * Paths of the files of the package, in its order. A directory stands once, and the files name it by its number; as in
   * rpm itself (lib/rpmfi.c, `indexSane`) nothing holds when a number is outside. Packages from before rpm 4 have whole paths.
   */
  files(): string[] {
    const names = this.texts(TAG.baseNames);
    const paths = names.length === 0 ? this.texts(TAG.oldFileNames) : this.joined(names);
    let length = 0;
    for (const path of paths) {
      length += path.length;
      if (path.length > MAX_PATH_LENGTH || length > MAX_PATHS_LENGTH) this.fail('paths too long');
    }
    return paths;
  }

  private joined(names: readonly string[]): string[] {
    const folders = this.texts(TAG.directoryNames);
    const indexes = this.numbers(TAG.directoryIndexes);
    if (indexes.length !== names.length) this.fail('files without a directory');
    return names.map((name, file) => {
      const folder = folders[indexes[file]!];
      return folder === undefined ? this.fail('a file of a directory that is not there') : folder + name;
    });
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
