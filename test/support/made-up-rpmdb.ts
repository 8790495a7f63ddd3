import { prepareSqlite, SqliteDatabase } from '../../core/records/sqlite/sqlite-database';
import type { MemoryFilesystem } from './memory-filesystem';
import { type MadeUpRpm, madeUpRpm } from './rpm-header-builder';
import { fixtureBytes } from './rpm-fixtures';
import { RPMDB } from './rpm-machines';

/** Two databases may be of one size: what changed is told by the time. */
let lastTime = 0n;

/** Gives a machine in memory a database of rpm with these packages, or with headers as they are. */
export async function putRpmdb(
  filesystem: MemoryFilesystem,
  packages: readonly (MadeUpRpm | Uint8Array)[],
): Promise<void> {
  await prepareSqlite();
  const bytes = SqliteDatabase.use(fixtureBytes('one-before', 'rpmdb.sqlite'), 'test', (database) => {
    const tables = database.rows(
      "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'",
    );
    for (const [table] of [...tables]) database.run(`DELETE FROM '${String(table)}'`);
    for (const one of packages) {
      const [header, name] = one instanceof Uint8Array ? [one, 'x'] : [madeUpRpm(one).header, one.name];
      const number = database.insert('INSERT INTO Packages (blob) VALUES (?)', [header]);
      database.run('INSERT INTO Name (key, hnum, idx) VALUES (?, ?, 0)', [name, number]);
    }
    return database.export();
  });
  await filesystem.makeParents(RPMDB);
  const metadata = {
    mode: 0o644,
    uid: 0,
    gid: 0,
    mtimeNs: (lastTime += 1n),
    xattrs: new Map<string, Uint8Array>(),
  };
  await filesystem.writeFile(RPMDB, bytes, metadata);
}
