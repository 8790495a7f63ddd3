import { readU32, writeU32 } from '../../bytes/little-endian';
import { RecordFormatError } from '../record-errors';
import type { HardwareCapabilities, LibraryEntry } from './library-entry';
import { buildPlainStringTable, buildStringTable, type StringTable } from './string-table';

/** What an ld.so.cache says, apart from where in the file it says it. */
export interface LibraryCache {
  readonly entries: readonly LibraryEntry[];
  /** Which ldconfig wrote it. Undefined before glibc 2.33, whose files have no extension to say it, and share no strings. */
  readonly generator: string | undefined;
  /** True when the file says that its numbers are little-endian, as all do since glibc 2.33. */
  readonly saysByteOrder: boolean;
  /** Strings that nothing refers to: names of glibc-hwcaps subdirectories that hold no library. */
  readonly unusedStrings: readonly string[];
}

/**
 * The layout of glibc's own format (sysdeps/generic/dl-cache.h): header, entries, strings, and since glibc 2.33 the
 * extension directory with its sections. Offsets count from the start of the file. Files that begin with the format of
 * libc 5 (`ld.so-1.7.0`, the default up to glibc 2.31 where a distribution did not change it) are not read.
 */
const MAGIC = 'glibc-ld.so.cache1.1';
const HEADER_BYTES = 48;
const ENTRY_BYTES = 24;
const LITTLE_ENDIAN = 2;
const EXTENSION_MAGIC = 0xeaa42174;
const EXTENSION_HEADER_BYTES = 8;
const SECTION_BYTES = 16;
const TAG_GENERATOR = 0;
const TAG_HWCAPS = 1;
/** In the high half of `hwcap`: the low half is an index of the hwcaps section, the ISA level stands in bits 0 to 9. */
const HWCAP_EXTENSION = 0x4000_0000;
const ISA_LEVEL_MASK = 0x3ff;

/** Bounds for files made by strangers; a large desktop has 4,000 libraries and 250 KB. */
const LARGEST_FILE_BYTES = 16 * 1024 * 1024;
const LONGEST_STRING = 4096;
const MOST_STRING_BYTES = 64 * 1024 * 1024;

const NO_EXTENSION = { generator: undefined, hwcapNames: [] };

export const CODEC = 'ld-so-cache';

/** @throws RecordFormatError when it is another format, corrupt, or not laid out as ldconfig does it */
export function parseCacheFile(file: Uint8Array): LibraryCache {
  if (file.length < HEADER_BYTES || file.length > LARGEST_FILE_BYTES)
    fail(`a file of ${file.length} bytes`, 0);
  if (latin1(file, 0, MAGIC.length) !== MAGIC) fail('another magic number', 0);
  const count = readU32(file, 20);
  const stringsBytes = readU32(file, 24);
  const stringsAt = HEADER_BYTES + count * ENTRY_BYTES;
  const byteOrder = readU32(file, 28);
  const extensionAt = readU32(file, 32);
  if (stringsAt + stringsBytes > file.length)
    fail(`${count} entries and ${stringsBytes} bytes of strings`, 20);
  if (extensionAt !== 0 && extensionAt !== alignedTo4(stringsAt + stringsBytes)) {
    fail('an extension that does not follow the strings', 32);
  }

  const strings = stringReader(file, stringsAt, stringsAt + stringsBytes);
  const { generator, hwcapNames } =
    extensionAt === 0 ? NO_EXTENSION : parseExtension(file, extensionAt, strings.at);
  const entries: LibraryEntry[] = [];
  for (let at = HEADER_BYTES; at < stringsAt; at += ENTRY_BYTES) {
    entries.push({
      flags: readU32(file, at),
      soname: strings.at(readU32(file, at + 4)),
      path: strings.at(readU32(file, at + 8)),
      osVersion: readU32(file, at + 12),
      hwcap: parseHwcap(readU32(file, at + 20), readU32(file, at + 16), hwcapNames, at),
    });
  }
  const saysByteOrder = byteOrder === LITTLE_ENDIAN;
  const cache = { entries, generator, saysByteOrder, unusedStrings: strings.unused() };
  if (!Buffer.from(serializeCacheFile(cache)).equals(file))
    fail('a layout that is not the one of ldconfig', 0);
  return cache;
}

function parseHwcap(
  high: number,
  low: number,
  names: readonly string[],
  offsetBytes: number,
): HardwareCapabilities {
  if ((high & HWCAP_EXTENSION) === 0) return { kind: 'bits', high, low };
  const name = names[low];
  if (name === undefined) return fail(`glibc-hwcaps subdirectory ${low} of ${names.length}`, offsetBytes);
  return { kind: 'subdirectory', name, isaLevel: high & ISA_LEVEL_MASK };
}

function parseExtension(
  file: Uint8Array,
  extensionAt: number,
  stringAt: (offset: number) => string,
): { generator: string; hwcapNames: string[] } {
  if (extensionAt + EXTENSION_HEADER_BYTES > file.length || readU32(file, extensionAt) !== EXTENSION_MAGIC) {
    fail('no extension magic', extensionAt);
  }
  const count = readU32(file, extensionAt + 4);
  if (count > 2 || extensionAt + EXTENSION_HEADER_BYTES + count * SECTION_BYTES > file.length) {
    fail(`${count} extension sections`, extensionAt);
  }
  let generator = '';
  let hwcapNames: string[] = [];
  for (let index = 0; index < count; index++) {
    const at = extensionAt + EXTENSION_HEADER_BYTES + index * SECTION_BYTES;
    const [tag, offset, sizeBytes] = [readU32(file, at), readU32(file, at + 8), readU32(file, at + 12)];
    if (offset + sizeBytes > file.length) fail('an extension section beyond the end', at);
    if (tag === TAG_GENERATOR) generator = latin1(file, offset, sizeBytes);
    else if (tag === TAG_HWCAPS && sizeBytes % 4 === 0) {
      hwcapNames = Array.from({ length: sizeBytes / 4 }, (_, word) =>
        stringAt(readU32(file, offset + word * 4)),
      );
    } else fail(`an extension section with tag ${tag}`, at);
  }
  return { generator, hwcapNames };
}

/** Reads strings of the table, and can tell which of its strings nobody read. */
function stringReader(
  file: Uint8Array,
  start: number,
  end: number,
): { at(offset: number): string; unused(): string[] } {
  const text = latin1(file, start, end - start);
  const seen = new Map<number, string>();
  let total = 0;
  const at = (offset: number): string => {
    const known = seen.get(offset);
    if (known !== undefined) return known;
    const nul = offset < start ? -1 : text.indexOf('\0', offset - start);
    if (nul < 0 || nul > offset - start + LONGEST_STRING) return fail('a string outside the table', offset);
    const string = text.slice(offset - start, nul);
    total += string.length;
    if (total > MOST_STRING_BYTES) return fail('too many bytes of strings', offset);
    seen.set(offset, string);
    return string;
  };
  const unused = (): string[] => {
    const ends = new Set([...seen].map(([offset, string]) => offset - start + string.length));
    const strings: string[] = [];
    for (let from = 0, nul = text.indexOf('\0'); nul >= 0; from = nul + 1, nul = text.indexOf('\0', from)) {
      if (!ends.has(nul)) strings.push(text.slice(from, nul));
    }
    return strings;
  };
  return { at, unused };
}

/**
 * The bytes that ldconfig writes for these entries, in their order.
 *
 * @throws RecordFormatError when an entry needs what a file without extension has not
 */
export function serializeCacheFile(cache: LibraryCache): Uint8Array {
  const { entries, generator, saysByteOrder } = cache;
  const hwcapNames = [
    ...new Set(entries.flatMap(({ hwcap }) => (hwcap.kind === 'subdirectory' ? [hwcap.name] : []))),
  ].sort();
  if (generator === undefined && hwcapNames.length > 0)
    fail('a glibc-hwcaps subdirectory without extension', 32);
  const strings = stringTableOf(cache, hwcapNames);
  const stringsAt = HEADER_BYTES + entries.length * ENTRY_BYTES;
  const stringsEnd = stringsAt + strings.text.length;
  const extension =
    generator === undefined
      ? new Uint8Array()
      : serializeExtension(
          alignedTo4(stringsEnd),
          generator,
          hwcapNames.map((name) => stringsAt + strings.offsetOf(name)),
        );
  const extensionAt = extension.length === 0 ? 0 : alignedTo4(stringsEnd);
  const file = new Uint8Array((extensionAt || stringsEnd) + extension.length);

  putLatin1(file, 0, MAGIC);
  writeU32(file, 20, entries.length);
  writeU32(file, 24, strings.text.length);
  writeU32(file, 28, saysByteOrder ? LITTLE_ENDIAN : 0);
  writeU32(file, 32, extensionAt);
  for (const [index, entry] of entries.entries()) {
    const at = HEADER_BYTES + index * ENTRY_BYTES;
    const [high, low] = hwcapWords(entry.hwcap, hwcapNames);
    writeU32(file, at, entry.flags);
    writeU32(file, at + 4, stringsAt + strings.offsetOf(entry.soname, 2 * index));
    writeU32(file, at + 8, stringsAt + strings.offsetOf(entry.path, 2 * index + 1));
    writeU32(file, at + 12, entry.osVersion);
    writeU32(file, at + 16, low);
    writeU32(file, at + 20, high);
  }
  putLatin1(file, stringsAt, strings.text);
  if (extensionAt !== 0) file.set(extension, extensionAt);
  return file;
}

function stringTableOf(
  { entries, generator, unusedStrings }: LibraryCache,
  hwcapNames: readonly string[],
): StringTable {
  const ofEntries = entries.flatMap(({ soname, path }) => [soname, path]);
  return generator === undefined
    ? buildPlainStringTable([...ofEntries, ...unusedStrings])
    : buildStringTable([...ofEntries, ...hwcapNames, ...unusedStrings]);
}

/** The extension directory, its glibc-hwcaps section where there are any, and the generator. */
function serializeExtension(
  extensionAt: number,
  generator: string,
  hwcapStrings: readonly number[],
): Uint8Array {
  const sections = hwcapStrings.length > 0 ? 2 : 1;
  const hwcapsAt = EXTENSION_HEADER_BYTES + sections * SECTION_BYTES;
  const generatorAt = hwcapsAt + hwcapStrings.length * 4;
  const bytes = new Uint8Array(generatorAt + generator.length);
  writeU32(bytes, 0, EXTENSION_MAGIC);
  writeU32(bytes, 4, sections);
  writeSection(bytes, EXTENSION_HEADER_BYTES, TAG_GENERATOR, extensionAt + generatorAt, generator.length);
  if (sections === 2) {
    const at = EXTENSION_HEADER_BYTES + SECTION_BYTES;
    writeSection(bytes, at, TAG_HWCAPS, extensionAt + hwcapsAt, hwcapStrings.length * 4);
  }
  for (const [index, offset] of hwcapStrings.entries()) writeU32(bytes, hwcapsAt + index * 4, offset);
  putLatin1(bytes, generatorAt, generator);
  return bytes;
}

function hwcapWords(hwcap: HardwareCapabilities, names: readonly string[]): [high: number, low: number] {
  if (hwcap.kind === 'bits') return [hwcap.high, hwcap.low];
  return [HWCAP_EXTENSION + hwcap.isaLevel, names.indexOf(hwcap.name)];
}

function writeSection(file: Uint8Array, at: number, tag: number, offset: number, sizeBytes: number): void {
  writeU32(file, at, tag);
  writeU32(file, at + 8, offset);
  writeU32(file, at + 12, sizeBytes);
}

function alignedTo4(offset: number): number {
  return Math.ceil(offset / 4) * 4;
}

function latin1(bytes: Uint8Array, offset: number, length: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + offset, length).toString('latin1');
}

function putLatin1(file: Uint8Array, offset: number, text: string): void {
  file.set(Buffer.from(text, 'latin1'), offset);
}

function fail(problem: string, offsetBytes: number): never {
  throw new RecordFormatError(CODEC, problem, { offsetBytes });
}
