import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Manifest } from '../core/manifest/manifest-schema';
import { ProgramFailedError, runProgram } from '../local/fleet/run-program';
import { withRootMounted } from '../local/fleet/with-root-mounted';

/** Behind the BIOS boot partition of the fleet's ext4 layout. */
export const ROOT_OFFSET_BYTES = 4 * 1024 * 1024;

/**
 * A tar of the very files that the manifest puts, with the directories they lie in (for their times), as the
 * representative has them after the update.
 */
export async function tarOfSameFiles(
  afterImage: string,
  manifest: Manifest,
  folder: string,
): Promise<string> {
  const put = manifest.operations.filter(({ kind }) => kind !== 'remove').map(({ path }) => path);
  const parents = put.map((file) => path.posix.dirname(file)).filter((parent) => parent !== '/');
  const list = path.join(folder, 'same-files.txt');
  const tar = path.join(folder, 'same-files.tar');
  await writeFile(
    list,
    [...new Set([...parents, ...put])]
      .sort()
      .map((file) => `.${file}\0`)
      .join(''),
  );
  await withRootMounted(afterImage, (root) =>
    runProgram('tar', [
      ...['-C', root, '--no-recursion', '--null', '--xattrs', '--xattrs-include=*', '--numeric-owner'],
      ...['-cf', tar, '-T', list],
    ]),
  );
  return tar;
}

/** The kernel's own ext4 puts the files: loop mount, tar, umount, sync. One shell, so that little but the work is timed. */
export async function kernelPuts(diskFile: string, tar: string, mountPoint: string): Promise<void> {
  const script = `
    mount -o loop,offset=${ROOT_OFFSET_BYTES} "$1" "$3"
    tar -C "$3" --xattrs --xattrs-include='*' --numeric-owner -xpf "$2"
    umount "$3"; sync "$1"`;
  await runProgram('sh', ['-euc', script, 'sh', diskFile, tar, mountPoint]);
}

const GUESTFISH = [
  'LIBGUESTFS_BACKEND=direct',
  'LIBGUESTFS_BACKEND_SETTINGS=force_tcg',
  'guestfish',
] as const;

/** Whether guestfish is there and starts its machine, which is emulated without KVM; it keeps that for the next times. */
export async function hasGuestfish(): Promise<boolean> {
  return runProgram('env', [...GUESTFISH, '-a', '/dev/null', 'run']).then(
    () => true,
    (error: unknown) => {
      if (error instanceof ProgramFailedError) return false;
      throw error;
    },
  );
}

export async function guestfishPuts(diskFile: string, tar: string): Promise<void> {
  const commands = ['-a', diskFile, '-m', '/dev/sda2', 'tar-in', tar, '/', 'xattrs:true'];
  await runProgram('env', [...GUESTFISH, ...commands]);
}

/** How many snapshot blocks of two sparse images differ. */
export async function differingBlocks(one: string, other: string): Promise<number> {
  const script = path.join(__dirname, '../test/support/differing-blocks.py');
  return Number(await runProgram('python3', [script, '524288', one, other]));
}
