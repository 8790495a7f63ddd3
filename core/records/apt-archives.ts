import type { FilesystemReader } from '../filesystem/filesystem';

/** Where a list of packages came from, as its Release file says (apt-secure(8), repository format). */
export interface AptArchive {
  readonly origin: string;
  readonly label: string;
  readonly suite: string;
  readonly codename: string;
  /** An archive of security updates: `Debian-Security`, `jammy-security`, `bookworm-security`. */
  readonly security: boolean;
  /** Whether apt takes versions from it of itself: `upgrades` only where one of its versions is installed, as for backports. */
  readonly automatic: 'always' | 'upgrades' | 'never';
}

const LISTS = '/var/lib/apt/lists';
const RELEASE = /^(.*_)?(?:InRelease|Release)$/;
const PACKAGES = /_Packages(\.[a-z0-9]+)?$/;
/** A Release file's fields stand in its first lines; the checksums that follow may take megabytes. */
const RELEASE_HEAD_BYTES = 64 * 1024;

/** Each list of binary packages in the image with the archive it is from. A list without a Release file has its file name only. */
export async function aptArchives(
  image: FilesystemReader,
): Promise<readonly { path: string; archive: AptArchive }[]> {
  if (!(await image.lstat(LISTS))) return [];
  const names = (await image.readdir(LISTS))
    .flatMap(({ name, type }) => (type === 'file' ? [name] : []))
    .sort();
  const releases = new Map<string, AptArchive>();
  for (const name of names) {
    const stem = RELEASE.exec(name)?.[1];
    if (stem === undefined || releases.has(stem)) continue;
    const head = await image.readFile(`${LISTS}/${name}`, {
      offsetBytes: 0,
      lengthBytes: RELEASE_HEAD_BYTES,
    });
    releases.set(stem, archiveOf(releaseFields(Buffer.from(head).toString('latin1'))));
  }
  return names
    .filter((name) => PACKAGES.test(name))
    .map((name) => ({
      path: `${LISTS}/${name}`,
      archive: releaseOf(name, releases) ?? archiveOf(fieldsOfName(name)),
    }));
}

/** Lists that are no files: of a source on the machine's own disk (`file:`) apt keeps a symbolic link to its index. */
export async function linkedLists(image: FilesystemReader): Promise<string[]> {
  if (!(await image.lstat(LISTS))) return [];
  return (await image.readdir(LISTS))
    .filter(({ name, type }) => type === 'symlink' && PACKAGES.test(name))
    .map(({ name }) => `${LISTS}/${name}`)
    .sort();
}

/** `<site>_dists_<suite>_main_binary-amd64_Packages` belongs to `<site>_dists_<suite>_InRelease`. */
function releaseOf(listName: string, releases: ReadonlyMap<string, AptArchive>): AptArchive | undefined {
  let best: string | undefined;
  for (const stem of releases.keys()) {
    if (listName.startsWith(stem) && stem.length > (best?.length ?? 0)) best = stem;
  }
  return best === undefined ? undefined : releases.get(best);
}

function releaseFields(text: string): Map<string, string> {
  const fields = new Map<string, string>();
  for (const line of text.split('\n')) {
    if (line.startsWith(' ')) continue;
    const colon = line.indexOf(':');
    const name = line.slice(0, colon).toLowerCase();
    if (colon > 0 && !fields.has(name)) fields.set(name, line.slice(colon + 1).trim());
  }
  return fields;
}

function fieldsOfName(listName: string): Map<string, string> {
  const suite = /_dists_(.+?)_[^_]+_binary-[^_]+_Packages/.exec(listName)?.[1] ?? '';
  return new Map([['suite', suite]]);
}

function archiveOf(fields: ReadonlyMap<string, string>): AptArchive {
  const [origin = '', label = '', suite = '', codename = ''] = ['origin', 'label', 'suite', 'codename'].map(
    (field) => fields.get(field) ?? '',
  );
  const notAutomatic = fields.get('notautomatic') === 'yes';
  return {
    origin,
    label,
    suite,
    codename,
    security: [label, suite, codename].some((name) => /(^|[-_/])security$/i.test(name)),
    automatic: !notAutomatic ? 'always' : fields.get('butautomaticupgrades') === 'yes' ? 'upgrades' : 'never',
  };
}
