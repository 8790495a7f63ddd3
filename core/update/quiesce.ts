/** Where rpm keeps its database, on the RPM distributions of today and before. */
const RPM_DATABASES = ['/var/lib/rpm/rpmdb.sqlite', '/usr/lib/sysimage/rpm/rpmdb.sqlite'];

/**
 * What makes a snapshot of a running machine whole, by `sh`. rpm's SQLite database keeps a log beside it for as long as
 * anybody has it open; `rpm --initdb` opens an existing database for writing, changes nothing and empties the log when it
 * closes it (rpm, lib/backend/sqlite.c, sqlite_fini). It waits for other transactions, however long they take (rpmts.c,
 * rpmtsInitDB); what is in the log then is read together with the database. dpkg's database is plain files. `sync`: a
 * snapshot has what is on the disk, and not what is still in memory.
 */
export const QUIESCE: readonly string[] = [
  `if [ -s ${RPM_DATABASES.join('-wal ] || [ -s ')}-wal ]; then timeout 60 rpm --initdb >/dev/null 2>&1; fi`,
  'sync',
];
