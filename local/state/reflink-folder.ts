import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import { access, copyFile, mkdir, open, rm, statfs, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Raised when the disks of the embedded cloud can be kept nowhere. */
export class NoReflinksError extends Error {
  override readonly name = 'NoReflinksError';
}

/**
 * A folder below `stateFolder` on a filesystem with reflinks: the state folder's own when it has them, else an XFS made
 * in a sparse file there and loop-mounted. The mount is made in the caller's mount namespace, which must be a private
 * one (`runInPrivateNamespace`): it vanishes with the process.
 * @throws NoReflinksError when neither can be had; the message says what to do.
 */
export async function reflinkFolder(stateFolder: string): Promise<string> {
  const folder = path.join(stateFolder, 'disks');
  await mkdir(folder, { recursive: true });
  if (await hasReflinks(folder)) return folder;
  const image = path.join(stateFolder, 'disks.xfs');
  try {
    if (!(await exists(image))) await makeXfs(image, stateFolder);
    // discard: what is deleted inside gives its space back to the sparse file.
    await run('mount', ['-t', 'xfs', '-o', 'loop,discard,noatime', image, folder]);
  } catch (cause) {
    throw new NoReflinksError(
      `${stateFolder} is on a filesystem without reflinks, and an XFS in a file could not be mounted there ` +
        '(Linux, root and xfsprogs are needed). Choose a state folder on XFS or btrfs, or run as root.',
      { cause },
    );
  }
  return folder;
}

async function hasReflinks(folder: string): Promise<boolean> {
  const [source, target] = [path.join(folder, '.reflink-source'), path.join(folder, '.reflink-target')];
  await writeFile(source, 'x');
  try {
    await copyFile(source, target, constants.COPYFILE_FICLONE_FORCE);
    return true;
  } catch {
    return false;
  } finally {
    await rm(source, { force: true });
    await rm(target, { force: true });
  }
}

/** A sparse XFS of four fifths of the free space. */
async function makeXfs(image: string, stateFolder: string): Promise<void> {
  const { bavail, bsize } = await statfs(stateFolder);
  const file = await open(image, 'wx');
  try {
    await file.truncate(Math.max(Math.floor(bavail * bsize * 0.8), 1024 ** 3));
  } finally {
    await file.close();
  }
  try {
    await run('mkfs.xfs', ['-q', '-m', 'reflink=1', '-l', 'size=64m', image]);
  } catch (error) {
    await rm(image, { force: true });
    throw error;
  }
}

const exists = (file: string): Promise<boolean> =>
  access(file).then(
    () => true,
    () => false,
  );
