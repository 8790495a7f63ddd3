import type { SqlValue } from 'sql.js';
import type { RecordChanges, RecordCodec, RecordFile } from '../record-codec';
import { RecordConflictError } from '../record-errors';
import { prepareSqlite, SQLITE_COMPANIONS, SqliteDatabase, wholeDatabase } from '../sqlite/sqlite-database';
import {
  type IndexRow,
  type InstalledPackage,
  packageKey,
  parsePackages,
  RPMDB,
  serializePackages,
  withoutRun,
} from './package-record';
import { type RelatedRpm, RpmRelations } from './package-relations';
import { readSchema } from './rpmdb-schema';

/** Where rpm keeps its database: of old, and since Fedora 36. */
export const RPMDB_PATHS: readonly string[] = [
  '/var/lib/rpm/rpmdb.sqlite',
  '/usr/lib/sysimage/rpm/rpmdb.sqlite',
];

/**
 * rpm's database in SQLite (rpm 4.16 and later). A record is all that is installed under one name and architecture: the
 * headers, and the rows of the other tables that lead to them, since those are derived by rules that change from one rpm
 * to the next. The numbers that a machine gives its packages are its own: what is put gets the next free one, as rpm does
 * it. When, and in which transaction, something was installed is put and not compared.
 */
export const rpmdbCodec: RecordCodec = {
  name: RPMDB,
  matches: (path) => RPMDB_PATHS.includes(path),
  companions: SQLITE_COMPANIONS,
  prepare: prepareSqlite,
  parse: (bytes, companions) => new RpmdbFile(wholeDatabase(bytes, companions, RPMDB)),
};

/** Number of a package on this machine, with the package. */
type Numbered = InstalledPackage & { readonly number: number };

class RpmdbFile implements RecordFile {
  readonly records: ReadonlyMap<string, Uint8Array>;
  readonly remainder: Uint8Array;
  private readonly packages: ReadonlyMap<string, readonly Numbered[]>;
  private readonly tables: readonly string[];
  private relations: RpmRelations | undefined;

  constructor(private readonly bytes: Uint8Array) {
    const read = SqliteDatabase.use(bytes, RPMDB, (database) => {
      const { tables, schema } = readSchema(database);
      return { tables, schema, packages: readPackages(database, tables) };
    });
    this.tables = read.tables;
    this.remainder = Buffer.from(read.schema, 'utf8');
    this.packages = Map.groupBy(read.packages, ({ header }) => packageKey(header));
    this.records = new Map(
      [...this.packages].map(([key, packages]) => [key, serializePackages(packages.map(withoutRun))]),
    );
  }

  contentOf(key: string): Uint8Array | undefined {
    this.relations ??= new RpmRelations(this.allPackages(), RPMDB);
    const { relations } = this;
    const packages = this.packages.get(key);
    return (
      packages &&
      serializePackages(
        packages.map(({ header, rows }) => ({ header, rows, around: relations.around(key, header) })),
      )
    );
  }

  private allPackages(): RelatedRpm[] {
    return [...this.packages].flatMap(([key, packages]) => packages.map(({ header }) => ({ key, header })));
  }

  merge(changes: RecordChanges): Uint8Array {
    const removed: Numbered[] = [];
    const added: InstalledPackage[] = [];
    for (const [key, bytes] of changes) {
      const own = this.packages.get(key) ?? [];
      const wanted = bytes === undefined ? [] : parsePackages(key, bytes);
      removed.push(...own.filter((one) => !wanted.some((other) => isSame(one, other))));
      added.push(...wanted.filter((one) => !own.some((other) => isSame(one, other))));
    }
    if (removed.length === 0 && added.length === 0) return new Uint8Array(this.bytes);
    this.checkRelations(removed, added);
    return SqliteDatabase.use(this.bytes, RPMDB, (database) => {
      for (const { number } of removed) this.remove(database, number);
      for (const one of added) this.add(database, one);
      return database.export();
    });
  }

  /**
   * Packages of this machine that have nothing to do with the update, as far as its names go, may still need what it
   * takes away, exclude what it brings, or have triggers on it; and what it brings may need what is not here. rpm would
   * have refused that, and dnf done something else.
   *
   * @throws RecordConflictError
   */
  private checkRelations(removed: readonly Numbered[], added: readonly InstalledPackage[]): void {
    const before = this.allPackages();
    const gone = new Set(removed.map(({ header }) => header));
    const after = before
      .filter(({ header }) => !gone.has(header))
      .concat(added.map(({ header }) => ({ key: packageKey(header), header })));
    const had = new Set([...new RpmRelations(before, RPMDB).problems()].map((one) => JSON.stringify(one)));
    const relations = new RpmRelations(after, RPMDB);
    for (const one of relations.problems()) {
      if (had.has(JSON.stringify(one))) continue;
      throw new RecordConflictError(RPMDB, one.key, 'the packages of this machine', one.problem);
    }
    for (const { header, around } of added) {
      const key = packageKey(header);
      const here = relations.around(key, header);
      if (around === undefined || JSON.stringify(around) === JSON.stringify(here)) continue;
      const differing = [
        ...here.filter((one) => !around.includes(one)),
        ...around.filter((one) => !here.includes(one)),
      ];
      throw new RecordConflictError(
        RPMDB,
        key,
        'the packages of this machine',
        `other packages take part here than on the representative: ${differing.slice(0, 3).join(', ')}`,
      );
    }
  }

  private remove(database: SqliteDatabase, number: number): void {
    for (const table of ['Packages', ...this.tables]) {
      database.run(`DELETE FROM '${table}' WHERE hnum = ?`, [number]);
    }
  }

  private add(database: SqliteDatabase, { header, rows }: InstalledPackage): void {
    const number = database.insert('INSERT INTO Packages (blob) VALUES (?)', [header]);
    for (const [table, own] of Map.groupBy(rows, (row) => row.table)) {
      if (!this.tables.includes(table)) database.fail(`there is no table ${table} on this machine`);
      for (const type of ['text', 'blob'] as const) {
        // Bytes that are cast to text stay as they are.
        const value = type === 'text' ? 'CAST(? AS TEXT)' : '?';
        database.runMany(
          `INSERT INTO '${table}' (key, hnum, idx) VALUES (${value}, ?, ?)`,
          own
            .filter((row) => row.type === type)
            .map(({ key, position }): SqlValue[] => [Buffer.from(key, 'latin1'), number, position]),
        );
      }
    }
  }
}

/** Whether both are the same package, whenever it was installed. */
function isSame(a: InstalledPackage, b: InstalledPackage): boolean {
  return Buffer.compare(serializePackages([withoutRun(a)]), serializePackages([withoutRun(b)])) === 0;
}

function readPackages(database: SqliteDatabase, tables: readonly string[]): Numbered[] {
  const rows = new Map<number, IndexRow[]>();
  for (const table of tables) {
    const sql = `SELECT hnum, idx, typeof(key), CAST(key AS BLOB) FROM '${table}'`;
    for (const [number, position, type, key] of database.rows(sql)) {
      const isKey = key instanceof Uint8Array && (type === 'text' || type === 'blob');
      if (typeof number !== 'number' || typeof position !== 'number' || !isKey) {
        return database.fail(`a row of ${table} is none of rpm's`);
      }
      const row: IndexRow = { table, type, key: Buffer.from(key).toString('latin1'), position };
      const own = rows.get(number);
      if (own) own.push(row);
      else rows.set(number, [row]);
    }
  }
  const packages: Numbered[] = [];
  for (const [number, header] of database.rows('SELECT hnum, blob FROM Packages ORDER BY hnum')) {
    if (typeof number !== 'number' || !(header instanceof Uint8Array))
      database.fail('a package without a header');
    packages.push({ number, header, rows: rows.get(number) ?? [] });
    rows.delete(number);
  }
  if (rows.size > 0) database.fail('a row leads to a package that is not there');
  return packages;
}
