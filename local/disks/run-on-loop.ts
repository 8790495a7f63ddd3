import { mustRun } from '../instances/run-program';

/** Bytes of a disk file. */
export interface DiskRange {
  readonly file: string;
  readonly offsetBytes: number;
  readonly sizeBytes: number;
}

/**
 * The loop device is detached while it is still open, which the kernel does once its last user is gone: nothing is left
 * of it when the program, or this process, is killed.
 */
const ON_LOOP = `
  device=$(losetup --find --show --offset "$1" --sizelimit "$2" "$3")
  exec 9<>"$device"
  losetup --detach "$device"
  script=$4
  shift 4
  eval "$script"`;

/**
 * Runs a shell script with a range of a disk file as the block device "$device"; "$@" are the arguments.
 * @returns what it printed
 */
export function runOnLoop(
  { file, offsetBytes, sizeBytes }: DiskRange,
  script: string,
  args: readonly string[] = [],
): Promise<string> {
  const place = [String(offsetBytes), String(sizeBytes), file];
  return mustRun('sh', ['-euc', ON_LOOP, 'sh', ...place, script, ...args]);
}
