import type { FilesystemReader } from '../filesystem/filesystem';
import { SymlinkLoopError } from './image-errors';

/** As many as Linux follows (path_resolution(7)). */
const MOST_LINKS = 40;

/**
 * The path at which `path` ends when its symbolic links are followed within the image, as after chroot(2): `..` does not
 * leave the root. Undefined when nothing stands there.
 *
 * @throws SymlinkLoopError
 */
export async function followLinks(filesystem: FilesystemReader, path: string): Promise<string | undefined> {
  const pending = path.split('/').reverse();
  let resolved: string[] = [];
  let links = 0;
  for (let part = pending.pop(); part !== undefined; part = pending.pop()) {
    if (part === '' || part === '.') continue;
    if (part === '..') {
      resolved.pop();
      continue;
    }
    const here = `/${[...resolved, part].join('/')}`;
    const stat = await filesystem.lstat(here);
    if (!stat) return undefined;
    if (stat.type === 'symlink') {
      if (++links > MOST_LINKS) throw new SymlinkLoopError(path);
      const target = await filesystem.readlink(here);
      if (target.startsWith('/')) resolved = [];
      pending.push(...target.split('/').reverse());
    } else if (stat.type !== 'directory' && pending.length > 0) {
      return undefined;
    } else resolved.push(part);
  }
  return `/${resolved.join('/')}`;
}

/** Configuration files are small; of one that is not, this much is looked at. */
const LARGEST_TEXT_BYTES = 1024 * 1024;

/** The text of a small file, its links followed. Undefined when there is no such file. */
export async function readText(filesystem: FilesystemReader, path: string): Promise<string | undefined> {
  const bytes = await readHead(filesystem, path, LARGEST_TEXT_BYTES);
  return bytes && Buffer.from(bytes).toString('utf8');
}

/** The first bytes of a file, its links followed. Undefined when there is no such file. */
export async function readHead(
  filesystem: FilesystemReader,
  path: string,
  lengthBytes: number,
): Promise<Uint8Array | undefined> {
  const real = await followLinks(filesystem, path);
  if (real === undefined || (await filesystem.lstat(real))?.type !== 'file') return undefined;
  return filesystem.readFile(real, { offsetBytes: 0, lengthBytes });
}

/** Names of the files in a directory, sorted; empty when there is no such directory. */
export async function fileNames(filesystem: FilesystemReader, directory: string): Promise<string[]> {
  const real = await followLinks(filesystem, directory);
  if (real === undefined || (await filesystem.lstat(real))?.type !== 'directory') return [];
  const entries = await filesystem.readdir(real);
  return entries.flatMap(({ name, type }) => (type === 'file' || type === 'symlink' ? [name] : [])).sort();
}
