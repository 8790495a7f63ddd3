import { access, mkdir, readdir, readFile, rmdir } from 'node:fs/promises';
import path from 'node:path';

const PREFIX = 'imageelves-';

/**
 * Makes a control group for one machine, beside this process's own, in every hierarchy that systemd uses. Without it all
 * machines would share one, and each machine's systemd would take the others' services for its own.
 * @returns the folders; a process joins by writing its id to `cgroup.procs` in each.
 */
export async function makeControlGroup(name: string): Promise<string[]> {
  const folders: string[] = [];
  for (const parent of await parents()) {
    const folder = path.join(parent, `${PREFIX}${name}`);
    await mkdir(folder, { recursive: true });
    folders.push(folder);
  }
  return folders;
}

/** Removes a machine's control groups; ones with processes stay. */
export async function removeControlGroup(folders: readonly string[]): Promise<void> {
  for (const folder of folders) await removeEmpty(folder);
}

/** Removes what a killed process left behind. */
export async function removeStaleControlGroups(): Promise<void> {
  for (const parent of await parents())
    for (const name of await readdir(parent))
      if (name.startsWith(PREFIX)) await removeEmpty(path.join(parent, name));
}

async function parents(): Promise<string[]> {
  const lines = (await readFile('/proc/self/cgroup', 'utf8')).split('\n');
  const folders: string[] = [];
  for (const line of lines) {
    const [, controllers, ...rest] = line.split(':');
    const own = rest.join(':');
    if (controllers === '') folders.push(await unifiedRoot(), own);
    else if (controllers === 'name=systemd') folders.push('/sys/fs/cgroup/systemd', own);
  }
  const joined: string[] = [];
  for (let index = 0; index < folders.length; index += 2) {
    const folder = path.join(folders[index] ?? '', folders[index + 1] ?? '');
    if (await exists(path.join(folder, 'cgroup.procs'))) joined.push(folder);
  }
  return joined;
}

/** Version 2 alone is mounted at the top, beside version 1 it has a folder of its own. */
const unifiedRoot = async (): Promise<string> =>
  (await exists('/sys/fs/cgroup/cgroup.controllers')) ? '/sys/fs/cgroup' : '/sys/fs/cgroup/unified';

async function removeEmpty(folder: string): Promise<void> {
  const children = await readdir(folder, { withFileTypes: true }).catch(() => []);
  for (const child of children) if (child.isDirectory()) await removeEmpty(path.join(folder, child.name));
  await rmdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EBUSY' && error.code !== 'ENOENT' && error.code !== 'ENOTEMPTY') throw error;
  });
}

const exists = (file: string): Promise<boolean> =>
  access(file).then(
    () => true,
    () => false,
  );
