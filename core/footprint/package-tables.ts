import { nameOf } from '../records/debian-relations';
import { isConcerningTable } from './concerned-records';
import type { Effects } from './effects';
import type { Questions } from './questions';
import type { FootprintRequest } from './read-footprint';

const DPKG_TABLES = [
  '/var/lib/dpkg/diversions',
  '/var/lib/dpkg/statoverride',
  '/var/lib/dpkg/triggers/File',
  '/var/cache/debconf/config.dat',
  '/var/lib/ucf/hashfile',
  '/var/lib/ucf/registry',
];
const INFO_FOLDER = '/var/lib/dpkg/info';
const TRIGGERS_FOLDER = '/var/lib/dpkg/triggers';

/** Asks for what dpkg and debconf know about the packages and paths that the update writes. */
export async function askForPackageTables(
  questions: Questions,
  { after }: FootprintRequest,
  { packages }: Effects,
): Promise<void> {
  if (packages.size === 0) return;
  for (const path of DPKG_TABLES) {
    if (isConcerningTable(path)) questions.ask({ path, kind: 'concerned' });
  }
  for (const key of packages) {
    for (const name of [key, nameOf(key)]) {
      const path = `${INFO_FOLDER}/${name}.triggers`;
      if ((await after.lstat(path))?.type !== 'file') continue;
      const text = Buffer.from(await after.readFile(path)).toString('latin1');
      // deb-triggers(5)
      for (const [, trigger] of text.matchAll(
        /^\s*activate(?:-await|-noawait)?\s+([a-z0-9][a-z0-9+.:-]*)\s*$/gim,
      ))
        questions.ask({ path: `${TRIGGERS_FOLDER}/${trigger!}`, kind: 'concerned' });
    }
  }
}
