import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { type ImageFolder, makeImage, onMountedImage } from './mounted-image';

const run = promisify(execFile);

/** Filled, in pieces, with a directory of 100,000 names and thousands of attributes, all by the kernel. */
export async function makeAgedImage(file: string, mkfs: readonly string[], sizeMiB: number): Promise<void> {
  await makeImage(file, sizeMiB, mkfs);
  await onMountedImage(file, '"$PYTHON" "$SUPPORT/age-tree.py" "$MNT" 5 crowd=100000 attributes=2000 churn');
}

/** Inside a filesystem that can clone files: what is mounted from the clone is the disk at one moment, as after a power cut. */
const CUT_POWER = `
  VOLUME="$MNT/volume"; INNER=$(mktemp -d)
  truncate -s "$SIZE_MIB"M "$VOLUME"; $MKFS "$VOLUME"
  mount -o loop "$VOLUME" "$INNER"
  "$PYTHON" "$SUPPORT/age-tree.py" "$INNER" "$SEED" forever & CHURN=$!
  while kill -0 "$CHURN" && ! test -e "$INNER/ready"; do sleep 0.05; done
  for n in $(seq "$CUTS"); do
    sleep "0.$(( (n * 37 + SEED) % 5 + 2 ))"
    cp --reflink=always "$VOLUME" "$MNT/cut-$n"
  done
  kill "$CHURN"; wait "$CHURN" || true
  umount "$INNER"; rmdir "$INNER"
  for n in $(seq "$CUTS"); do cp --sparse=always "$MNT/cut-$n" "$FOLDER/$NAME-$n.img"; done`;

/** A volume as the power left it, so many times, while the kernel was writing to it. @returns the image files */
export async function makeCutImages(
  folder: ImageFolder,
  name: string,
  { mkfs, sizeMiB, cuts, seed }: { mkfs: readonly string[]; sizeMiB: number; cuts: number; seed: number },
): Promise<string[]> {
  const outer = folder.image(`${name}-outer`);
  await makeImage(outer, 1024, ['mkfs.xfs', '-q', '-f', '-m', 'reflink=1']);
  const environment = {
    ...{ MKFS: mkfs.join(' '), SIZE_MIB: String(sizeMiB), CUTS: String(cuts), SEED: String(seed) },
    ...{ FOLDER: folder.path, NAME: name },
  };
  await onMountedImage(outer, CUT_POWER, { environment });
  await run('rm', [outer]);
  return Array.from({ length: cuts }, (_, n) => `${folder.path}/${name}-${n + 1}.img`);
}
