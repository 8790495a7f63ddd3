import { lstat, readdir, readFile, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { MemoryFilesystem } from './memory-filesystem';

/** What lies in a folder, as a filesystem in memory; every call gives it other inode numbers, as if all had changed. */
export async function treeInMemory(folder: string): Promise<MemoryFilesystem> {
  const filesystem = new MemoryFilesystem();
  loaded += 1;
  for (let made = 0; made < loaded; made++) {
    await filesystem.put('/passing', '');
    await filesystem.remove('/passing');
  }
  await addFolder('/');
  return filesystem;

  async function addFolder(path: string): Promise<void> {
    for (const name of (await readdir(join(folder, path))).sort()) await add(join(path, name));
  }

  async function add(path: string): Promise<void> {
    const real = join(folder, path);
    const stat = await lstat(real, { bigint: true });
    const { mode, uid, gid, mtimeNs } = stat;
    const metadata = {
      mode: Number(mode) & 0o7777,
      uid: Number(uid),
      gid: Number(gid),
      mtimeNs,
      xattrs: new Map<string, Uint8Array>(),
    };
    if (stat.isSymbolicLink()) await filesystem.symlink(path, await readlink(real), metadata);
    else if (stat.isFile()) await filesystem.writeFile(path, await readFile(real), metadata);
    else if (stat.isDirectory()) {
      await filesystem.mkdir(path, metadata);
      await addFolder(path);
    }
  }
}

let loaded = 0;
