import { execFile } from 'node:child_process';
import { access, constants, mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const MAX_OUTPUT_BYTES = 256 * 1024 * 1024;

/**
 * Makes an image file with an empty filesystem.
 * @param mkfs the command and its options, the file left out
 * @param filledWith the byte of all space that mkfs does not write, as on a disk that held something else before; what
 * must read as zeros then shows when it is read from the disk. mkfs needs `-E nodiscard` for that.
 */
export async function makeImage(
  file: string,
  sizeMiB: number,
  mkfs: readonly string[],
  { filledWith = 0 }: { filledWith?: number } = {},
): Promise<void> {
  const sizeBytes = sizeMiB * 1024 * 1024;
  await writeFile(file, filledWith === 0 ? '' : Buffer.alloc(sizeBytes, filledWith));
  await truncate(file, sizeBytes);
  const [command, ...args] = mkfs;
  await run(command!, [...args, file]);
}

/**
 * Runs a shell script with the image mounted at `$MNT`, in a mount namespace of its own, and unmounts it. `$SUPPORT` is
 * this folder. What the script prints is the answer. Needs root.
 */
export async function onMountedImage(
  file: string,
  script: string,
  {
    mountOptions = 'loop',
    environment = {},
  }: { mountOptions?: string; environment?: Record<string, string> } = {},
): Promise<string> {
  const whole = `
    MNT=$(mktemp -d)
    mount -o "$MOUNT_OPTIONS" "$IMAGE" "$MNT"
    trap 'cd /; umount "$MNT"; rmdir "$MNT"' EXIT
    ${script}`;
  const { stdout } = await run(
    'unshare',
    ['--mount', '--propagation', 'private', '--', 'sh', '-euc', whole],
    {
      env: {
        ...process.env,
        IMAGE: file,
        MOUNT_OPTIONS: mountOptions,
        SUPPORT: __dirname,
        PYTHON,
        ...environment,
      },
      maxBuffer: MAX_OUTPUT_BYTES,
    },
  );
  return stdout;
}

/** Judges an image with the filesystem's own checker. @returns what it complained about; empty when clean */
export async function e2fsck(file: string): Promise<string> {
  try {
    await run('e2fsck', ['-fn', file], { maxBuffer: MAX_OUTPUT_BYTES });
    return '';
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string };
    return stdout + stderr;
  }
}

/** The system's own interpreter starts faster than a version manager's. */
const PYTHON = '/usr/bin/python3';

/** Shell commands for `onMountedImage`. */
export const FILL_TREE = '"$PYTHON" "$SUPPORT/fill-tree.py" "$MNT"';
/** Delayed allocation takes its blocks first, so that the free space is what is on the disk. */
export const LIST_TREE = 'sync -f "$MNT"; "$PYTHON" "$SUPPORT/list-tree.py" "$MNT"';

/** A folder for image files, in memory where the system has a place for that, and removed at the end. */
export class ImageFolder implements AsyncDisposable {
  private constructor(readonly path: string) {}

  static async make(): Promise<ImageFolder> {
    const parent = await access('/dev/shm', constants.W_OK).then(
      () => '/dev/shm',
      () => tmpdir(),
    );
    return new ImageFolder(await mkdtemp(join(parent, 'image-')));
  }

  /** Path of an image in this folder. */
  image(name: string): string {
    return join(this.path, `${name.replaceAll(/\W+/g, '-')}.img`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.path, { recursive: true });
  }
}
