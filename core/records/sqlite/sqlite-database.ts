import type { Database, SqlJsStatic, SqlValue } from 'sql.js';
import { RecordFormatError } from '../record-errors';
import { withWriteAheadLog } from './write-ahead-log';

/** SQLite compiled to WebAssembly (sql.js): works on bytes, touches no file. */
let library: SqlJsStatic | undefined;

export async function prepareSqlite(): Promise<void> {
  if (library) return;
  const { default: start } = await import('sql.js/dist/sql-wasm-inline.js');
  library = await start();
}

/** Endings of the files that are one unit with a database (sqlite.org/tempfiles.html). */
export const WRITE_AHEAD_LOG = '-wal';
const ROLLBACK_JOURNAL = '-journal';
export const SQLITE_COMPANIONS = [WRITE_AHEAD_LOG, ROLLBACK_JOURNAL] as const;

/** Where the header says how the file is written: 1 rollback journal, 2 write-ahead log. */
const WRITE_VERSION_OFFSET = 18;
const MAGIC = 'SQLite format 3\0';

/**
 * The bytes of a database with its write-ahead log worked in.
 *
 * @throws RecordFormatError also when a transaction was cut off and would have to be rolled back
 */
export function wholeDatabase(
  bytes: Uint8Array,
  companions: ReadonlyMap<string, Uint8Array> | undefined,
  codec: string,
): Uint8Array {
  // A journal that begins with zeros was ended (PRAGMA journal_mode = PERSIST).
  if (
    companions
      ?.get(ROLLBACK_JOURNAL)
      ?.subarray(0, 8)
      .some((byte) => byte !== 0)
  ) {
    throw new RecordFormatError(codec, 'a transaction was cut off and is not rolled back');
  }
  const log = companions?.get(WRITE_AHEAD_LOG);
  const whole = log === undefined ? bytes : withWriteAheadLog(bytes, log, codec);
  if (Buffer.from(whole.subarray(0, MAGIC.length)).toString('latin1') !== MAGIC) {
    throw new RecordFormatError(codec, 'it is no SQLite database');
  }
  return whole;
}

/** What one row may hold of others in a join, such as the name of its repository. */
const MOST_BYTES_A_BYTE = 4;
const SPARE_BYTES = 1024 * 1024;
/** A machine with every package of a distribution has a tenth of this many files in them. */
const MOST_ROWS = 4_000_000;

/** A database that is open in memory. Nothing of it is run but what is asked: its schema must be checked first. */
export class SqliteDatabase {
  private isSound = false;

  private constructor(
    private readonly database: Database,
    private readonly sizeBytes: number,
    private readonly journalVersions: Uint8Array,
    private readonly codec: string,
  ) {}

  /**
   * Opens a whole database, does something with it, and closes it.
   *
   * @throws RecordFormatError when SQLite says that it is damaged
   */
  static use<T>(bytes: Uint8Array, codec: string, work: (database: SqliteDatabase) => T): T {
    if (!library) throw new TypeError('await prepareSqlite() before a database is opened');
    const copy = new Uint8Array(bytes);
    const versions = new Uint8Array(bytes.subarray(WRITE_VERSION_OFFSET, WRITE_VERSION_OFFSET + 2));
    // In memory there is no log beside the file; the mark is put back when the bytes are taken out.
    copy.fill(1, WRITE_VERSION_OFFSET, WRITE_VERSION_OFFSET + 2);
    return mapped(codec, () => {
      const database = new library!.Database(copy);
      try {
        // The schema is a stranger's: no functions with effects from it, and no trust in the sizes of its cells.
        database.run('PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON; PRAGMA foreign_keys = OFF;');
        return work(new SqliteDatabase(database, bytes.length, versions, codec));
      } finally {
        database.close();
      }
    });
  }

  /** Pages that lead to each other make few bytes into rows without end: there are never more rows than bytes. */
  *rows(sql: string, parameters: SqlValue[] = []): Generator<SqlValue[]> {
    const statement = this.database.prepare(sql, parameters);
    let rowsLeft = Math.min(this.sizeBytes, MOST_ROWS);
    let bytesLeft = this.sizeBytes * MOST_BYTES_A_BYTE + SPARE_BYTES;
    try {
      while (statement.step()) {
        const row = statement.get();
        rowsLeft -= 1;
        for (const value of row)
          if (typeof value === 'string' || value instanceof Uint8Array) bytesLeft -= value.length;
        if (rowsLeft < 0 || bytesLeft < 0) this.fail('it has more rows than its bytes can hold');
        yield row;
      }
    } finally {
      statement.free();
    }
  }

  run(sql: string, parameters: SqlValue[] = []): void {
    this.needSound();
    this.database.run(sql, parameters);
  }

  /** @returns the number of the new row */
  insert(sql: string, parameters: SqlValue[]): number {
    this.needSound();
    this.database.run(sql, parameters);
    const [row] = this.rows('SELECT last_insert_rowid()');
    return Number(row?.[0]);
  }

  /** One prepared statement for many rows. */
  runMany(sql: string, rows: Iterable<SqlValue[]>): void {
    this.needSound();
    const statement = this.database.prepare(sql);
    try {
      for (const row of rows) statement.run(row);
    } finally {
      statement.free();
    }
  }

  /** What is written follows indexes, which nothing has read before: no page of theirs may be in two places. */
  private needSound(): void {
    if (this.isSound) return;
    const [found] = this.rows('PRAGMA quick_check(1)');
    if (found?.[0] !== 'ok') this.fail(`it is damaged: ${String(found?.[0])}`);
    this.isSound = true;
  }

  /** The database as a file, marked as it was. */
  export(): Uint8Array {
    const bytes = this.database.export();
    bytes.set(this.journalVersions, WRITE_VERSION_OFFSET);
    return bytes;
  }

  fail(problem: string, key?: string): never {
    throw new RecordFormatError(this.codec, problem, key === undefined ? undefined : { key });
  }
}

/** SQLite's own errors are plain Errors: the bytes are not a sound database. */
function mapped<T>(codec: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof Error && error.name === 'Error') {
      throw new RecordFormatError(codec, `SQLite says: ${error.message}`);
    }
    throw error;
  }
}
