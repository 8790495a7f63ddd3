import { decodeName } from '../../bytes/names';
import type { FileType, Stat } from '../filesystem';

/** Rows of neighbouring inode numbers are made together: filesystems make and number inodes in runs. */
const CHUNK_ROWS = 64;
const PAGE_ROWS = 4096;
const PAGE_ENTRIES = 32_768;
const NAME_PAGE_BYTES = 4 * 1024 * 1024;

/** Words of a row: mode and marks, owner, links, size (two), mtime (two), ctime (two), device, first entry. */
const ROW_WORDS = 12;
const UID = 1;
const GID = 2;
const LINKS = 3;
const SIZE = 4;
const MTIME = 6;
const CTIME = 8;
const DEVICE = 10;
const FIRST_ENTRY = 11;

/** Marks beside the mode. */
const IMMUTABLE = 1 << 16;
const APPEND_ONLY = 1 << 17;
const IN_USE = 1 << 18;
const DAMAGED = 1 << 19;
const ENTERED = 1 << 20;

/** Words of an entry: the next entry of its directory, the row of its inode, where its name is, a hash of the name. */
const ENTRY_WORDS = 4;
const NO_ROW = 0xffffffff;
/** Names stand at multiples of this, so that 32 bits lead to 16 GiB of them. */
const NAME_UNIT = 4;
/** Facts kept for messages; a hostile image would have millions. */
const MOST_REMEMBERED = 1000;

const S_IFDIR = 0x4000;
const TYPES: readonly (FileType | undefined)[] = Object.assign(new Array<FileType | undefined>(16), {
  1: 'fifo',
  2: 'character-device',
  4: 'directory',
  6: 'block-device',
  8: 'file',
  10: 'symlink',
  12: 'socket',
} satisfies Record<number, FileType>);

/** What `TreeTable.put` keeps of an inode. One object may be used again for the next. */
export interface InodeFacts {
  /** Type and permission bits. The type must be one of those that there are. */
  mode: number;
  uid: number;
  gid: number;
  links: number;
  sizeBytes: number;
  mtimeSeconds: number;
  mtimeNanoseconds: number;
  ctimeSeconds: number;
  ctimeNanoseconds: number;
  /** For devices only. */
  major: number;
  minor: number;
  immutable: boolean;
  appendOnly: boolean;
}

/** One object for a whole scan, which fills it a million times. */
export function emptyFacts(): InodeFacts {
  return {
    mode: 0,
    uid: 0,
    gid: 0,
    links: 0,
    sizeBytes: 0,
    mtimeSeconds: 0,
    mtimeNanoseconds: 0,
    ctimeSeconds: 0,
    ctimeNanoseconds: 0,
    major: 0,
    minor: 0,
    immutable: false,
    appendOnly: false,
  };
}

interface RowPage {
  readonly words: Uint32Array;
  /** The same bytes as 64-bit numbers. */
  readonly longs: BigInt64Array;
}

/**
 * The inodes and directory entries of a whole filesystem in typed arrays: 48 bytes an inode, 16 an entry and its name,
 * for a filesystem has millions of them. A row stands for an inode that was put.
 */
export class TreeTable {
  private readonly pages: RowPage[] = [];
  private readonly chunks = new Map<number, number>();
  /** Chunk number of each 64 rows, in the order of the rows. */
  private readonly chunkNumbers: number[] = [];
  private readonly entryPages: Uint32Array[] = [];
  private entryCount = 0;
  /** Bytes while names are added; a string, each character a byte, once they are read. */
  private readonly namePages: (Buffer | string)[] = [];
  private namesEnd = 0;
  private readonly damage = new Map<number, Error>();
  private readonly strangers = new Map<number, number>();

  put(inode: number, facts: InodeFacts): void {
    const row = this.makeRow(inode);
    const { words } = this.pages[Math.floor(row / PAGE_ROWS)]!;
    const at = (row % PAGE_ROWS) * ROW_WORDS;
    words[at] =
      facts.mode | IN_USE | (facts.immutable ? IMMUTABLE : 0) | (facts.appendOnly ? APPEND_ONLY : 0);
    words[at + UID] = facts.uid;
    words[at + GID] = facts.gid;
    words[at + LINKS] = facts.links;
    words[at + SIZE] = facts.sizeBytes;
    words[at + SIZE + 1] = facts.sizeBytes / 0x1_0000_0000;
    putNanoseconds(words, at + MTIME, facts.mtimeSeconds, facts.mtimeNanoseconds);
    putNanoseconds(words, at + CTIME, facts.ctimeSeconds, facts.ctimeNanoseconds);
    words[at + DEVICE] = (facts.major << 20) | facts.minor;
  }

  /** An inode that looks used but cannot be read. It matters only when a path leads there. */
  putDamaged(inode: number, error: Error): void {
    const row = this.makeRow(inode);
    this.pages[Math.floor(row / PAGE_ROWS)]!.words[(row % PAGE_ROWS) * ROW_WORDS] = DAMAGED;
    if (this.damage.size < MOST_REMEMBERED) this.damage.set(row, error);
  }

  /** Undefined when the inode was not put. */
  rowOf(inode: number): number | undefined {
    const chunk = Math.floor(inode / CHUNK_ROWS);
    const first = this.chunks.get(chunk);
    if (first === undefined) return undefined;
    const row = first + (inode - chunk * CHUNK_ROWS);
    return (this.word(row, 0) & (IN_USE | DAMAGED)) === 0 ? undefined : row;
  }

  /** Adds an entry to a directory that was put. Its name is the bytes [from, to), which are copied. */
  addEntry(directoryRow: number, bytes: Uint8Array, from: number, to: number, inode: number): void {
    const entry = this.entryCount;
    const within = entry % PAGE_ENTRIES;
    if (within === 0) this.entryPages.push(new Uint32Array(PAGE_ENTRIES * ENTRY_WORDS));
    this.entryCount = entry + 1;
    const page = this.entryPages[this.entryPages.length - 1]!;
    const at = within * ENTRY_WORDS;
    const directory = this.pages[Math.floor(directoryRow / PAGE_ROWS)]!.words;
    const first = (directoryRow % PAGE_ROWS) * ROW_WORDS + FIRST_ENTRY;
    page[at] = directory[first]!;
    directory[first] = entry + 1;
    const row = this.rowOf(inode);
    page[at + 1] = row ?? NO_ROW;
    if (row === undefined && this.strangers.size < MOST_REMEMBERED) this.strangers.set(entry, inode);
    page[at + 2] = this.addName(bytes, from, to - from);
    page[at + 3] = hashOf(bytes, from, to);
  }

  /** The entries of a directory: what `nextEntry` is asked for in turn; 0 when there is no more. */
  firstEntry(row: number): number {
    return this.word(row, FIRST_ENTRY);
  }

  nextEntry(entry: number): number {
    return this.entryWord(entry, 0);
  }

  nameOf(entry: number): string {
    const offset = this.entryWord(entry, 2) * NAME_UNIT;
    const page = this.namePage(Math.floor(offset / NAME_PAGE_BYTES));
    const at = offset % NAME_PAGE_BYTES;
    const name = page.substring(at + 2, at + 2 + page.charCodeAt(at));
    return page.charCodeAt(at + 1) === 1 ? name : decodeName(Buffer.from(name, 'latin1'));
  }

  /** Entries with one name have one hash; those with one hash nearly always one name. */
  hashOf(entry: number): number {
    return this.entryWord(entry, 3);
  }

  /** Undefined when the entry leads to an inode that was not put: then `strangerOf` may know which. */
  rowOfEntry(entry: number): number | undefined {
    const row = this.entryWord(entry, 1);
    return row === NO_ROW ? undefined : row;
  }

  strangerOf(entry: number): number | undefined {
    return this.strangers.get(entry - 1);
  }

  isDirectory(row: number): boolean {
    return (this.word(row, 0) & 0xf000) === S_IFDIR;
  }

  isDamaged(row: number): boolean {
    return (this.word(row, 0) & DAMAGED) !== 0;
  }

  /** Undefined when there were too many to remember each. */
  damageOf(row: number): Error | undefined {
    return this.damage.get(row);
  }

  /** Marks a directory; @returns false when it was marked before. */
  enter(row: number): boolean {
    const { words } = this.pages[Math.floor(row / PAGE_ROWS)]!;
    const at = (row % PAGE_ROWS) * ROW_WORDS;
    if (words[at]! & ENTERED) return false;
    words[at]! |= ENTERED;
    return true;
  }

  inodeOf(row: number): number {
    return this.chunkNumbers[Math.floor(row / CHUNK_ROWS)]! * CHUNK_ROWS + (row % CHUNK_ROWS);
  }

  statOf(row: number): Stat {
    const { words, longs } = this.pages[Math.floor(row / PAGE_ROWS)]!;
    const at = (row % PAGE_ROWS) * ROW_WORDS;
    const marks = words[at]!;
    const type = TYPES[(marks & 0xf000) >>> 12]!;
    const stat = {
      inode: this.inodeOf(row),
      type,
      mode: marks & 0o7777,
      uid: words[at + UID]!,
      gid: words[at + GID]!,
      sizeBytes: words[at + SIZE]! + words[at + SIZE + 1]! * 0x1_0000_0000,
      links: words[at + LINKS]!,
      mtimeNs: timeOf(longs[(at + MTIME) / 2]!),
      ctimeNs: timeOf(longs[(at + CTIME) / 2]!),
      immutable: (marks & IMMUTABLE) !== 0,
      appendOnly: (marks & APPEND_ONLY) !== 0,
    };
    if (type !== 'character-device' && type !== 'block-device') return stat;
    const device = words[at + DEVICE]!;
    return { ...stat, device: { major: device >>> 20, minor: device & 0xfffff } };
  }

  private makeRow(inode: number): number {
    const chunk = Math.floor(inode / CHUNK_ROWS);
    let first = this.chunks.get(chunk);
    if (first === undefined) {
      first = this.chunkNumbers.length * CHUNK_ROWS;
      this.chunks.set(chunk, first);
      this.chunkNumbers.push(chunk);
      if (first % PAGE_ROWS === 0) {
        const words = new Uint32Array(PAGE_ROWS * ROW_WORDS);
        this.pages.push({ words, longs: new BigInt64Array(words.buffer) });
      }
    }
    return first + (inode - chunk * CHUNK_ROWS);
  }

  private word(row: number, word: number): number {
    return this.pages[Math.floor(row / PAGE_ROWS)]!.words[(row % PAGE_ROWS) * ROW_WORDS + word]!;
  }

  /** Entries are numbered from 1. */
  private entryWord(entry: number, word: number): number {
    const page = this.entryPages[Math.floor((entry - 1) / PAGE_ENTRIES)]!;
    return page[((entry - 1) % PAGE_ENTRIES) * ENTRY_WORDS + word]!;
  }

  private namePage(index: number): string {
    const page = this.namePages[index]!;
    if (typeof page === 'string') return page;
    const isLast = index === this.namePages.length - 1;
    const text = page.toString('latin1', 0, isLast ? this.namesEnd - index * NAME_PAGE_BYTES : page.length);
    this.namePages[index] = text;
    return text;
  }

  /** Keeps a name behind its length and whether it is ASCII. */
  private addName(bytes: Uint8Array, from: number, length: number): number {
    let at = this.namesEnd % NAME_PAGE_BYTES;
    let page = this.namePages.at(-1);
    if (typeof page !== 'object' || at === 0 || at + 2 + length > NAME_PAGE_BYTES) {
      this.namesEnd = this.namePages.length * NAME_PAGE_BYTES;
      page = Buffer.alloc(NAME_PAGE_BYTES);
      this.namePages.push(page);
      at = 0;
    }
    let seen = 0;
    for (let byte = 0; byte < length; byte++) {
      const value = bytes[from + byte]!;
      seen |= value;
      page[at + 2 + byte] = value;
    }
    page[at] = length;
    page[at + 1] = seen < 0x80 ? 1 : 0;
    const unit = this.namesEnd / NAME_UNIT;
    this.namesEnd += Math.ceil((2 + length) / NAME_UNIT) * NAME_UNIT;
    return unit;
  }
}

/** Seconds and nanoseconds as one 64-bit number of nanoseconds, low word first, without a BigInt. */
function putNanoseconds(words: Uint32Array, at: number, seconds: number, nanoseconds: number): void {
  const high = Math.floor(seconds / 0x10000);
  const low = (seconds - high * 0x10000) * 1_000_000_000 + nanoseconds;
  const carry = Math.floor(low / 0x10000);
  const upper = high * 1_000_000_000 + carry;
  const top = Math.floor(upper / 0x10000);
  words[at] = (upper - top * 0x10000) * 0x10000 + (low - carry * 0x10000);
  words[at + 1] = top;
}

/** No filesystem has earlier times than 1901; from 2262 on they have the sign bit. */
const EARLIEST_NS = -(2n ** 31n) * 1_000_000_000n;

function timeOf(nanoseconds: bigint): bigint {
  return nanoseconds < EARLIEST_NS ? BigInt.asUintN(64, nanoseconds) : nanoseconds;
}

/** FNV-1a. */
function hashOf(bytes: Uint8Array, from: number, to: number): number {
  let hash = 0x811c9dc5;
  for (let at = from; at < to; at++) hash = Math.imul(hash ^ bytes[at]!, 0x01000193);
  return hash;
}
