import type { SqliteDatabase } from '../sqlite/sqlite-database';
import { INDEX_TABLE_PATTERN } from './package-record';

/** rpm's own tables and nothing else: a trigger or a view would be run with what is put. */
export function readSchema(database: SqliteDatabase): { tables: string[]; schema: string } {
  const tables: string[] = [];
  const lines: string[] = [];
  for (const [type, name, table, sql] of database.rows(
    'SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY type, name',
  )) {
    if (typeof name !== 'string' || typeof table !== 'string') database.fail('a table without a name');
    // Its own bookkeeping, and the statistics that PRAGMA optimize gathers.
    if (/^sqlite_(sequence|stat\d)$/.test(name)) continue;
    const statement = typeof sql === 'string' ? sql.replaceAll(/\s+/g, ' ') : '';
    if (
      type === 'table' &&
      name !== 'Packages' &&
      INDEX_TABLE.test(statement) &&
      INDEX_TABLE_PATTERN.test(name)
    ) {
      tables.push(name);
    } else if (!(type === 'table' && name === 'Packages' && PACKAGES_TABLE.test(statement))) {
      if (type !== 'index' || !INDEX.test(statement))
        database.fail(`${String(type)} ${name} is none of rpm's`);
    }
    lines.push(`${String(type)} ${name} on ${table}: ${statement}`);
  }
  if (!lines.some((line) => line.startsWith('table Packages '))) database.fail('it has no table of packages');
  return { tables, schema: lines.join('\n') };
}

const PACKAGES_TABLE =
  /^CREATE TABLE 'Packages' ?\( ?hnum INTEGER PRIMARY KEY AUTOINCREMENT, ?blob BLOB NOT NULL ?\)$/;
const INDEX_TABLE =
  /^CREATE TABLE '\w+' ?\( ?key '\w+' NOT NULL, hnum INTEGER NOT NULL, idx INTEGER NOT NULL, FOREIGN KEY ?\(hnum\) REFERENCES 'Packages'\(hnum\) ?\)$/;
const INDEX = /^CREATE INDEX '\w+' ON '\w+' ?\((key|hnum) ASC\)$/;
