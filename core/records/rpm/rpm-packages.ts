import type { FilesystemReader } from '../../filesystem/filesystem';
import { readUnit } from '../read-record-file';
import { SqliteDatabase, prepareSqlite, SQLITE_COMPANIONS, wholeDatabase } from '../sqlite/sqlite-database';
import { packageKey, RPMDB } from './package-record';
import { RpmHeader, TAG } from './rpm-header';
import { compareRpmVersions, rpmVersionText } from './rpm-version';
import { RPMDB_PATHS } from './rpmdb';
import { readSchema } from './rpmdb-schema';

/**
 * The packages of an image by `name.architecture`, each with its versions, the newest last. Empty when the image has no
 * rpm database in SQLite.
 *
 * @throws RecordFormatError when there is one that cannot be read
 */
export async function rpmPackages(
  image: Pick<FilesystemReader, 'lstat' | 'readFile'>,
): Promise<Map<string, readonly string[]>> {
  const packages = new Map<string, string[]>();
  await rpmHeaders(image, (header) => {
    const key = packageKey(header);
    const known = packages.get(key);
    if (known) known.push(versionOf(header));
    else packages.set(key, [versionOf(header)]);
  });
  for (const versions of packages.values()) versions.sort(compareRpmVersions);
  return packages;
}

/**
 * Gives the header of each installed package, one after the other.
 *
 * @throws RecordFormatError when there is a database that cannot be read
 */
export async function rpmHeaders(
  image: Pick<FilesystemReader, 'lstat' | 'readFile'>,
  each: (header: Uint8Array) => void,
): Promise<void> {
  for (const path of RPMDB_PATHS) {
    if ((await image.lstat(path))?.type !== 'file') continue;
    await prepareSqlite();
    const unit = await readUnit(image, path, { name: RPMDB, companions: SQLITE_COMPANIONS });
    const bytes = wholeDatabase(unit.bytes, unit.companions, RPMDB);
    SqliteDatabase.use(bytes, RPMDB, (database) => {
      readSchema(database);
      for (const [header] of database.rows('SELECT blob FROM Packages')) {
        if (!(header instanceof Uint8Array)) return database.fail('a package without a header');
        each(header);
      }
    });
  }
}

/** `epoch:version-release` of a package. */
export function versionOf(bytes: Uint8Array): string {
  const header = new RpmHeader(bytes, RPMDB);
  return rpmVersionText({
    epoch: header.number(TAG.epoch) ?? 0,
    version: header.text(TAG.version) ?? '',
    release: header.text(TAG.release) ?? '',
  });
}
