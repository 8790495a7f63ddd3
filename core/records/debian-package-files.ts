import type { FilesystemReader } from '../filesystem/filesystem';
import { decodeName } from '../bytes/names';
import { dpkgStatusText } from './debian-packages';
import { fieldText, packageKey } from './dpkg-status';
import { parseStanza, splitStanzas } from './stanzas';

/** Which package brought which file. */
export interface PackageFiles {
  /** `name:architecture` of a package that has this path; undefined for what no package brought. */
  ownerOf(path: string): string | undefined;
  /** True for configuration files of packages: they may be changed locally, and packages respect that. */
  isConfiguration(path: string): boolean;
}

export const NO_PACKAGE_FILES: PackageFiles = { ownerOf: () => undefined, isConfiguration: () => false };

const INFO_FOLDER = '/var/lib/dpkg/info';
const LARGEST_LIST_BYTES = 64 * 1024 * 1024;
/** Directories at the top that are links into /usr on a merged system, where lists still name them. */
const MERGED = ['/bin', '/sbin', '/lib', '/lib32', '/lib64', '/libx32'];

/** Reads the lists that dpkg keeps of each package's files (dpkg-query(1), `--listfiles`). */
export async function debianPackageFiles(image: FilesystemReader): Promise<PackageFiles> {
  const status = await dpkgStatusText(image);
  if (status === undefined || !(await image.lstat(INFO_FOLDER))) return NO_PACKAGE_FILES;
  const { keysByName, configuration } = packagesIn(status);
  const links = await mergedLinks(image);
  const owners = new Map<string, string>();
  const lists = (await image.readdir(INFO_FOLDER)).filter(
    ({ name, type }) => type === 'file' && name.endsWith('.list'),
  );
  for (const { name } of lists.sort((a, b) => a.inode - b.inode)) {
    const key = keysByName.get(name.slice(0, -'.list'.length));
    if (key === undefined) continue;
    const path = `${INFO_FOLDER}/${name}`;
    if (((await image.lstat(path))?.sizeBytes ?? 0) > LARGEST_LIST_BYTES) continue;
    for (const line of decodeName(await image.readFile(path)).split('\n')) {
      if (line.startsWith('/')) owners.set(real(line), key);
    }
  }
  return {
    ownerOf: (path) => owners.get(path),
    isConfiguration: (path) => configuration.has(path),
  };

  function real(path: string): string {
    const link = MERGED.find((top) => path.startsWith(`${top}/`));
    const target = link === undefined ? undefined : links.get(link);
    return target === undefined ? path : target + path.slice(link!.length);
  }
}

async function mergedLinks(image: FilesystemReader): Promise<Map<string, string>> {
  const links = new Map<string, string>();
  for (const top of MERGED) {
    if ((await image.lstat(top))?.type !== 'symlink') continue;
    const target = await image.readlink(top);
    links.set(top, target.startsWith('/') ? target : `/${target}`);
  }
  return links;
}

/** Lists are called by the package, with its architecture where several may be installed. */
function packagesIn(text: string): { keysByName: Map<string, string>; configuration: Set<string> } {
  const keysByName = new Map<string, string>();
  const configuration = new Set<string>();
  for (const { body, line } of splitStanzas(text)) {
    if (body === '') continue;
    const key = packageKey(parseStanza(body, 'dpkg-status', line));
    if (key === undefined) continue;
    keysByName.set(key, key);
    keysByName.set(key.slice(0, key.lastIndexOf(':')), key);
    // ` /etc/file <md5>`, and ` obsolete` for one that the package has no more.
    for (const [, path] of fieldText(body, 'Conffiles').matchAll(/^ (\/.*) \S{32}( obsolete)?$/gm)) {
      configuration.add(decodeName(Buffer.from(path!, 'latin1')));
    }
  }
  return { keysByName, configuration };
}
