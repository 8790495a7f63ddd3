import { fileNames, readText } from '../image/follow-links';
import type { Image } from '../image/image';

/** `15/main` of every cluster among the paths, by the file that says which version its data have. */
export function clustersOf(paths: readonly string[]): string[] {
  return paths.flatMap((path) => {
    const [, cluster] = /^\/var\/lib\/postgresql\/([^/]+\/[^/]+)\/PG_VERSION$/.exec(path) ?? [];
    return cluster === undefined ? [] : [cluster];
  });
}

/** template1, template0 and postgres: what initdb(1) makes. */
const FIRST_DATABASES = 3;

/** What initdb(1) and pg_createcluster(1) set of themselves. */
const SET_AT_CREATION =
  /^(data_directory|(hba|ident|external_pid|ssl_cert|ssl_key)_file|port|max_connections|unix_socket_directories|ssl|shared_buffers|dynamic_shared_memory_type|(max|min)_wal_size|log_line_prefix|log_timezone|cluster_name|stats_temp_directory|datestyle|timezone|lc_[a-z]+|default_text_search_config|include_dir)$/;

/** The lines of pg_hba.conf(5) that they write. */
const RULE_AT_CREATION =
  /^(local|host)\s+(all|replication)\s+(all|postgres)(\s+(127\.0\.0\.1\/32|::1\/128))?\s+(peer|md5|scram-sha-256)$/;

/**
 * What an update did to a cluster beyond creating it: a cluster that is created anew on another machine would lack it.
 * Roles and rows in the first databases cannot be told from outside.
 */
export async function changesBeyondCreation(after: Image, cluster: string): Promise<string[]> {
  const [data, settings] = [`/var/lib/postgresql/${cluster}`, `/etc/postgresql/${cluster}`];
  const found: string[] = [];
  if ((await after.lstat(`${data}/base`))?.type === 'directory') {
    const databases = (await after.readdir(`${data}/base`)).filter(({ name }) => /^\d+$/.test(name));
    if (databases.length > FIRST_DATABASES) found.push(`${data} holds databases that were made in it`);
  }
  const names = (await settingsOf(after, `${settings}/postgresql.conf`)).filter(
    (name) => !SET_AT_CREATION.test(name),
  );
  names.push(...(await settingsOf(after, `${data}/postgresql.auto.conf`)));
  if ((await fileNames(after, `${settings}/conf.d`)).length > 0) names.push('conf.d');
  if (names.length > 0) found.push(`${settings} was changed (${names.slice(0, 5).join(', ')})`);
  const rules = (await linesOf(after, `${settings}/pg_hba.conf`)).filter(
    (line) => !RULE_AT_CREATION.test(line),
  );
  if (rules.length > 0) found.push(`${settings}/pg_hba.conf was changed (${rules[0]})`);
  return found;
}

async function settingsOf(image: Image, path: string): Promise<string[]> {
  return (await linesOf(image, path)).map((line) => /^[A-Za-z_.]+/.exec(line)?.[0].toLowerCase() ?? line);
}

async function linesOf(image: Image, path: string): Promise<string[]> {
  const lines = ((await readText(image, path)) ?? '').split('\n');
  return lines.map((line) => line.trim()).filter((line) => line !== '' && !line.startsWith('#'));
}
