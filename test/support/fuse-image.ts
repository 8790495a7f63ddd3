import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);
const MAX_OUTPUT_BYTES = 256 * 1024 * 1024;
const PYTHON = '/usr/bin/python3';

/**
 * Runs a shell script with an ext4 image mounted at `$MNT` by fuse2fs, the driver that is made of e2fsprogs: for volumes
 * that this kernel does not mount, such as those with blocks larger than its pages. What the script prints is the answer.
 */
export async function onFuseImage(file: string, script: string, { writable = false } = {}): Promise<string> {
  const whole = `
    MNT=$(mktemp -d)
    fuse2fs "$IMAGE" "$MNT" -o "$OPTIONS" >&2
    trap 'cd /; umount "$MNT"; rmdir "$MNT"' EXIT
    ${script}`;
  const { stdout } = await run(
    'unshare',
    ['--mount', '--propagation', 'private', '--', 'sh', '-euc', whole],
    {
      env: { ...process.env, IMAGE: file, OPTIONS: writable ? 'rw' : 'ro', SUPPORT: __dirname, PYTHON },
      maxBuffer: MAX_OUTPUT_BYTES,
    },
  );
  return stdout;
}
