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

const ALTERNATIVES_FOLDER = '/var/lib/dpkg/alternatives/';

/** Asks for what dpkg and debconf know about the packages and paths that the update writes. */
export async function askForPackageTables(
  questions: Questions,
  { before, after }: FootprintRequest,
  effects: Effects,
): Promise<void> {
  askForAlternatives(questions, effects);
  const { packages } = effects;
  if (packages.size === 0 || before.os.packageSystem !== 'dpkg') return;
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
        /^[ \t]*activate(?:-await|-noawait)?[ \t]+([a-z0-9][a-z0-9+.:-]*)[ \t]*$/gim,
      ))
        questions.ask({ path: `${TRIGGERS_FOLDER}/${trigger!}`, kind: 'concerned' });
    }
  }
}

/**
 * Which alternative was chosen by hand stands in no table, only in the link: where it is the one that goes, or where the
 * link leads past the table, update-alternatives(1) does something else.
 */
function askForAlternatives(questions: Questions, { paths, records }: Effects): void {
  for (const [table, keys] of records) {
    if (!table.startsWith(ALTERNATIVES_FOLDER)) continue;
    const slaves = [...keys].flatMap((key) => (key.startsWith('slave:') ? [key.slice('slave:'.length)] : []));
    for (const name of [table.slice(ALTERNATIVES_FOLDER.length), ...slaves]) {
      const link = `/etc/alternatives/${name}`;
      if (!paths.has(link)) questions.ask({ path: link, kind: 'entry' });
    }
  }
}
