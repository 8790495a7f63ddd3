import type { FilesystemReader } from '../filesystem/filesystem';
import { decodeName } from '../bytes/names';
import { dpkgStatusText } from './debian-packages';
import { fieldText, packageKey } from './dpkg-status';
import { mergedFolders } from './merged-folders';
import type { PackageFiles } from './package-files';
import { parseStanza, splitStanzas } from './stanzas';

export const NO_PACKAGE_FILES: PackageFiles = {
  ownerOf: () => undefined,
  versionOf: () => undefined,
  isConfiguration: () => false,
};

const INFO_FOLDER = '/var/lib/dpkg/info';
const LARGEST_LIST_BYTES = 64 * 1024 * 1024;

/** Reads the lists that dpkg keeps of each package's files (dpkg-query(1), `--listfiles`). */
export async function debianPackageFiles(image: FilesystemReader): Promise<PackageFiles> {
  const status = await dpkgStatusText(image);
  if (status === undefined || !(await image.lstat(INFO_FOLDER))) return NO_PACKAGE_FILES;
  const { keysByName, configuration } = packagesIn(status);
  const real = await mergedFolders(image);
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
    versionOf: () => undefined,
    isConfiguration: (path) => configuration.has(path),
  };
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
