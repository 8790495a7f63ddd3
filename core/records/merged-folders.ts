import type { FilesystemReader } from '../filesystem/filesystem';

/** Directories that are links on a merged system (file-hierarchy(7)), where lists of packages still name them. */
const MERGED = ['/bin', '/sbin', '/lib', '/lib32', '/lib64', '/libx32', '/usr/sbin'];
/** `/sbin` may lead to `/usr/sbin`, and that to `/usr/bin`. */
const MOST_STEPS = 3;

/** Gives for a path as a package lists it the one at which the image has it. */
export async function mergedFolders(image: FilesystemReader): Promise<(path: string) => string> {
  const links: (readonly [prefix: string, target: string])[] = [];
  for (const folder of MERGED) {
    if ((await image.lstat(folder))?.type !== 'symlink') continue;
    const target = await image.readlink(folder);
    const parent = folder.slice(0, folder.lastIndexOf('/'));
    links.push([`${folder}/`, `${target.startsWith('/') ? target : `${parent}/${target}`}/`]);
  }
  return (listed) => {
    let path = listed;
    for (let step = 0; step < MOST_STEPS; step++) {
      const link = links.find(([prefix]) => path.startsWith(prefix));
      if (link === undefined) break;
      path = link[1] + path.slice(link[0].length);
    }
    return path;
  };
}
