import type { RecordChanges, RecordCodec, RecordFile } from '../record-codec';
import { RecordFormatError } from '../record-errors';
import { CODEC, parseCacheFile, serializeCacheFile, type LibraryCache } from './cache-file';
import { compareEntries, type HardwareCapabilities, type LibraryEntry } from './library-entry';

/**
 * The dynamic linker's cache. A record is what the linker looks up: a name for one kind of library and CPU, and the
 * paths where it stands, in the order of search. `generator` is a record too: it changes when libc is updated. A merge
 * gives the file that ldconfig would have written for these libraries.
 */
export const ldSoCacheCodec: RecordCodec = {
  name: CODEC,
  matches: (path) => path === '/etc/ld.so.cache',
  parse: (bytes) => new LdSoCacheFile(bytes.slice(), parseCacheFile(bytes)),
};

const GENERATOR_KEY = 'generator';

class LdSoCacheFile implements RecordFile {
  readonly records: ReadonlyMap<string, Uint8Array>;
  readonly remainder: Uint8Array;

  constructor(
    private readonly bytes: Uint8Array,
    private readonly cache: LibraryCache,
  ) {
    const records = new Map([...groupByKey(cache.entries)].map(([key, group]) => [key, recordBytes(group)]));
    if (cache.generator !== undefined) records.set(GENERATOR_KEY, Buffer.from(cache.generator, 'latin1'));
    this.records = records;
    this.remainder = Buffer.from(cache.unusedStrings.join('\n'), 'latin1');
  }

  merge(changes: RecordChanges): Uint8Array {
    const groups = new Map<string, readonly LibraryEntry[]>(groupByKey(this.cache.entries));
    let generator = this.cache.generator;
    let changed = false;
    for (const [key, bytes] of changes) {
      const before = this.records.get(key);
      if (before === bytes || (before && bytes && Buffer.compare(before, bytes) === 0)) continue;
      changed = true;
      if (key === GENERATOR_KEY) generator = bytes && Buffer.from(bytes).toString('latin1');
      else if (bytes) groups.set(key, parseRecord(key, bytes));
      else groups.delete(key);
    }
    if (!changed) return this.bytes.slice();
    const entries = [...groups.values()].flat().sort(compareEntries);
    return serializeCacheFile({ ...this.cache, entries, generator });
  }
}

function groupByKey(entries: readonly LibraryEntry[]): Map<string, LibraryEntry[]> {
  return Map.groupBy(entries, keyOf);
}

/** `libz.so.1 flags=0x303`, and what else makes it another entry: `hwcaps=x86-64-v3/3`, `hwcap=0x…`, `os=0x…`. */
function keyOf({ soname, flags, hwcap, osVersion }: LibraryEntry): string {
  if (!/^[\x21-\x7e]+$/.test(soname)) {
    throw new RecordFormatError(CODEC, `the library name ${JSON.stringify(soname)}`);
  }
  return [
    soname,
    `flags=0x${flags.toString(16)}`,
    ...hwcapText(hwcap),
    ...(osVersion === 0 ? [] : [`os=0x${osVersion.toString(16)}`]),
  ].join(' ');
}

function hwcapText(hwcap: HardwareCapabilities): string[] {
  if (hwcap.kind === 'subdirectory') return [`hwcaps=${hwcap.name}/${hwcap.isaLevel}`];
  if (hwcap.high === 0 && hwcap.low === 0) return [];
  return [`hwcap=0x${hwcap.high.toString(16)}${hwcap.low.toString(16).padStart(8, '0')}`];
}

/** The entry's own values as JSON, then each path: all of a record can be read back from its bytes. */
function recordBytes(group: readonly LibraryEntry[]): Uint8Array {
  const [first] = group;
  if (!first) throw new RecordFormatError(CODEC, 'a record without a path');
  const { soname, flags, osVersion, hwcap } = first;
  const paths = group.map(({ path }) => path);
  return Buffer.from(JSON.stringify({ soname, flags, osVersion, hwcap, paths }), 'latin1');
}

/** @throws RecordFormatError: a manifest is made elsewhere, so nothing in it is taken for granted */
function parseRecord(key: string, bytes: Uint8Array): LibraryEntry[] {
  const record = parseJson(key, bytes);
  const paths: unknown = record.paths;
  if (!Array.isArray(paths) || paths.length === 0) throw new RecordFormatError(CODEC, 'no paths', { key });
  const entries = paths.map((path: unknown): LibraryEntry => {
    if (typeof path !== 'string' || path.includes('\0'))
      throw new RecordFormatError(CODEC, 'a path', { key });
    return {
      soname: String(record.soname),
      flags: word(record.flags, key),
      osVersion: word(record.osVersion, key),
      hwcap: parseHwcap(record.hwcap, key),
      path,
    };
  });
  if (keyOf(entries[0]!) !== key || Buffer.compare(recordBytes(entries), bytes) !== 0) {
    throw new RecordFormatError(CODEC, 'what is put is not one record with this key', { key });
  }
  return entries;
}

function parseJson(key: string, bytes: Uint8Array): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(Buffer.from(bytes).toString('latin1'));
    if (typeof value === 'object' && value !== null) return value as Record<string, unknown>;
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
  }
  throw new RecordFormatError(CODEC, 'what is put is not one record with this key', { key });
}

function parseHwcap(value: unknown, key: string): HardwareCapabilities {
  const hwcap = (typeof value === 'object' && value !== null ? value : {}) as Record<string, unknown>;
  if (hwcap.kind === 'subdirectory' && typeof hwcap.name === 'string') {
    return { kind: 'subdirectory', name: hwcap.name, isaLevel: word(hwcap.isaLevel, key) & 0x3ff };
  }
  return { kind: 'bits', high: word(hwcap.high, key), low: word(hwcap.low, key) };
}

function word(value: unknown, key: string): number {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 0 || value > 0xffff_ffff) {
    throw new RecordFormatError(CODEC, `the number ${JSON.stringify(value)}`, { key });
  }
  return value;
}
