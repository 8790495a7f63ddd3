import { readU32BE, writeU32BE } from '../../bytes/big-endian';
import { RecordFormatError } from '../record-errors';
import { RpmHeader, TAG } from './rpm-header';

export const RPMDB = 'rpmdb';

/** A row of one of the tables by which rpm finds packages: by name, by what they provide, by the files they hold. */
export interface IndexRow {
  readonly table: string;
  /** How SQLite holds the key; its bytes stand in latin1, so that a file name of any encoding survives. */
  readonly type: 'text' | 'blob';
  readonly key: string;
  readonly position: number;
}

/** One package as rpm's database has it: its header, and the rows that lead to it. */
export interface InstalledPackage {
  readonly header: Uint8Array;
  readonly rows: readonly IndexRow[];
  /** What of other packages took part when it was installed (RpmRelations.around); put, not compared. */
  readonly around?: readonly string[];
}

/** The table that finds packages by the transaction that installed them. */
export const INSTALLED_BY_TABLE = 'Installtid';

/** Whether a name is one of a table with rows of packages. */
export const INDEX_TABLE_PATTERN = /^[A-Z][a-z0-9]{1,40}$/;

const NOTHING = new Map<number, number>([
  [TAG.installTime, 0],
  [TAG.installTransaction, 0],
]);

/**
 * `name.architecture`: all packages of one name are one record, since what an update does with a kernel depends on how
 * many there are. Keys for signatures have nothing to do with each other: each is a record.
 */
export function packageKey(header: Uint8Array): string {
  const parsed = new RpmHeader(header, RPMDB);
  const name = parsed.text(TAG.name);
  if (name === undefined || !/^[\x21-\x7e]+$/.test(name)) {
    throw new RecordFormatError(RPMDB, `a package is called ${JSON.stringify(name)}`);
  }
  if (name === 'gpg-pubkey') {
    return `${name}-${parsed.text(TAG.version) ?? ''}-${parsed.text(TAG.release) ?? ''}`;
  }
  return `${name}.${parsed.text(TAG.arch) ?? 'none'}`;
}

/**
 * The same package without what belongs to the run that installed it: time and number of the transaction (rpm takes the
 * time for the number too).
 */
export function withoutRun({ header, rows }: InstalledPackage): InstalledPackage {
  return {
    header: new RpmHeader(header, RPMDB).with(NOTHING),
    rows: rows.map((row) =>
      row.table === INSTALLED_BY_TABLE ? { ...row, key: '\0'.repeat(row.key.length) } : row,
    ),
  };
}

/** All packages of one record as bytes, in an order that does not depend on the machine. */
export function serializePackages(packages: readonly InstalledPackage[]): Uint8Array {
  const parts = packages.map((one) => ({ order: orderOf(one), bytes: packageBytes(one) }));
  return Buffer.concat(parts.sort((a, b) => (a.order < b.order ? -1 : 1)).map(({ bytes }) => bytes));
}

/** @throws RecordFormatError: a manifest is made elsewhere, so nothing in it is taken for granted */
export function parsePackages(key: string, bytes: Uint8Array): InstalledPackage[] {
  const packages: InstalledPackage[] = [];
  for (let at = 0; at < bytes.length;) {
    const header = sized(bytes, at, key);
    const rest = sized(bytes, at + 4 + header.length, key);
    at += 8 + header.length + rest.length;
    const [rows, around] = list(parseJson(rest), key);
    packages.push({
      header: new Uint8Array(header),
      rows: parseRows(key, rows),
      ...(around !== undefined && { around: parseAround(key, around) }),
    });
  }
  const isOne = packages.length > 0 && packages.every(({ header }) => packageKey(header) === key);
  if (!isOne || Buffer.compare(serializePackages(packages), bytes) !== 0) fail(key);
  return packages;
}

/** By what it is, and where that is the same (a package is never there twice) by its bytes. */
function orderOf(one: InstalledPackage): string {
  const header = new RpmHeader(withoutRun(one).header, RPMDB);
  const facts = [header.number(TAG.epoch) ?? 0, header.text(TAG.version), header.text(TAG.release)];
  return `${JSON.stringify(facts)} ${Buffer.from(header.bytes).toString('latin1')}`;
}

function packageBytes({ header, rows, around }: InstalledPackage): Uint8Array {
  const byTable = Map.groupBy(rows, ({ table }) => table);
  const tables = [...byTable].sort(([a], [b]) => (a < b ? -1 : 1));
  const sorted = tables.map(([table, own]) => [
    table,
    own.map(({ type, key, position }) => [type, key, position]).sort(byPosition),
  ]);
  const json = JSON.stringify([sorted, ...(around === undefined ? [] : [around])]);
  const text = Buffer.from(json, 'utf8');
  const bytes = new Uint8Array(8 + header.length + text.length);
  writeU32BE(bytes, 0, header.length);
  bytes.set(header, 4);
  writeU32BE(bytes, 4 + header.length, text.length);
  bytes.set(text, 8 + header.length);
  return bytes;
}

type RowValues = readonly (string | number)[];

function byPosition(a: RowValues, b: RowValues): number {
  return Number(a[2]) - Number(b[2]) || (String(a[1]) < String(b[1]) ? -1 : 1);
}

function sized(bytes: Uint8Array, at: number, key: string): Uint8Array {
  if (at + 4 > bytes.length) fail(key);
  const end = at + 4 + readU32BE(bytes, at);
  if (end > bytes.length) fail(key);
  return bytes.subarray(at + 4, end);
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch (cause) {
    if (cause instanceof SyntaxError) return undefined;
    throw cause;
  }
}

function parseAround(key: string, value: unknown): string[] {
  return list(value, key).map((one) => (typeof one === 'string' ? one : fail(key)));
}

function parseRows(key: string, tables: unknown): IndexRow[] {
  return list(tables, key).flatMap((entry) => {
    const [table, rows] = list(entry, key);
    if (typeof table !== 'string' || !INDEX_TABLE_PATTERN.test(table)) return fail(key);
    return list(rows, key).map((row): IndexRow => {
      const [type, text, position] = list(row, key);
      const isRow =
        (type === 'text' || type === 'blob') &&
        typeof text === 'string' &&
        /^[\0-\xff]*$/.test(text) &&
        Number.isSafeInteger(position);
      return isRow ? { table, type, key: text, position: position as number } : fail(key);
    });
  });
}

function list(value: unknown, key: string): unknown[] {
  return Array.isArray(value) ? value : fail(key);
}

function fail(key: string): never {
  throw new RecordFormatError(RPMDB, 'what is put is not one record with this key', { key });
}
