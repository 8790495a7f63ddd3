import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { FaultingCache } from '../../../../core/block-device/faulting-cache';
import { RecoveryNeededError } from '../../../../core/filesystem/errors';
import { type LogState, logState } from '../../../../core/filesystem/xfs/log-state';
import { openXfs, readSuperblock } from '../../../../core/filesystem/xfs/open-xfs';
import { Volume } from '../../../../core/filesystem/xfs/volume';
import { FileBlockDevice } from '../../../support/file-block-device';
import { FILL_TREE, ImageFolder, LIST_TREE, makeImage, onMountedImage } from '../../../support/mounted-image';
import { newerTool } from '../../../support/newer-tools';
import { listingDifferences, parseKernelListing, readerListing } from '../../../support/tree-listing';

const run = promisify(execFile);
jest.setTimeout(120_000);

const SMALL = ['mkfs.xfs', '-q', '-f', '-K', '--unsupported'];
const SIZE_MIB = 96;
/** Some work, all of it in the log at least, copied as a crash would leave it. */
const WORK_AND_COPY = `
  for n in 1 2 3 4 5 6 7 8 9; do mkdir "$MNT/d$n"; echo $n > "$MNT/d$n/file"; done
  sync -f "$MNT"; echo late > "$MNT/late"; xfs_io -c fsync "$MNT/late"
  cp "$IMAGE" "$COPY"`;

let folder: ImageFolder;
beforeAll(async () => {
  folder = await ImageFolder.make();
});
afterAll(async () => folder[Symbol.asyncDispose]());

async function stateOf(file: string): Promise<LogState> {
  await using device = await FileBlockDevice.open(file);
  const cache = new FaultingCache(device);
  const superblock = await readSuperblock(cache);
  return await cache.run(() => logState(new Volume(cache, superblock)));
}

/** A copy of a volume as it was when the script copied `$IMAGE` to `$COPY`. */
async function copyOf(name: string, script: string, mkfs: readonly string[] = SMALL): Promise<string> {
  const [live, copy] = [folder.image(`${name}-live`), folder.image(`${name}-copy`)];
  await makeImage(live, SIZE_MIB, mkfs);
  await onMountedImage(live, script, { environment: { COPY: copy } });
  return copy;
}

describe('the log of an XFS volume', () => {
  it('is clean after mkfs, and after every unmount, however often the ring went round', async () => {
    const file = folder.image('clean');
    await makeImage(file, 64, SMALL);
    expect(await stateOf(file)).toBe('clean');
    for (let round = 0; round < 4; round++) {
      await onMountedImage(
        file,
        `
        "$PYTHON" - "$MNT" <<'PYTHON'
import os, sys
for turn in range(${round} * 7 + 1):
    for number in range(400):
        path = f'{sys.argv[1]}/{number}'
        os.mkdir(path) if turn % 2 == 0 else os.rmdir(path)
    os.sync()
if (${round} * 7 + 1) % 2:
    for number in range(400): os.rmdir(f'{sys.argv[1]}/{number}')
PYTHON`,
      );
      expect(await stateOf(file)).toBe('clean');
    }
  });

  it('is clean when nothing was done since it was mounted, and after a remount for reading', async () => {
    expect(await stateOf(await copyOf('idle', 'cp "$IMAGE" "$COPY"'))).toBe('clean');
    const remounted = `mkdir "$MNT/d"; mount -o remount,ro "$MNT"; cp "$IMAGE" "$COPY"`;
    expect(await stateOf(await copyOf('remounted', remounted))).toBe('clean');
  });

  it('is clean where xfs_repair or xfs_admin made it anew', async () => {
    const file = folder.image('anew');
    await makeImage(file, 64, SMALL);
    await onMountedImage(file, 'mkdir "$MNT/a"; cp "$IMAGE" "$IMAGE.copy"; cp "$IMAGE.copy" "$IMAGE.other"');
    await run('xfs_repair', ['-L', `${file}.copy`]);
    expect(await stateOf(`${file}.copy`)).toBe('clean');
    await run('xfs_admin', ['-U', 'generate', file]);
    expect(await stateOf(file)).toBe('clean');
    await onMountedImage(file, 'mkdir "$MNT/b"');
    expect(await stateOf(file)).toBe('clean');
  });

  it.each([
    ['sectors of 4 KiB', ['-s', 'size=4096']],
    ['stripe units', ['-d', 'su=64k,sw=4', '-l', 'su=256k']],
  ])('is told clean from dirty from settled: %s', async (name, options) => {
    const mkfs = [...SMALL, ...options];
    const clean = folder.image(`${name}-clean`);
    await makeImage(clean, SIZE_MIB, mkfs);
    await onMountedImage(clean, 'mkdir "$MNT/d"');
    expect(await stateOf(clean)).toBe('clean');
    expect(await stateOf(await copyOf(`${name}-dirty`, WORK_AND_COPY, mkfs))).toBe('dirty');
    const frozen = `${FILL_TREE} 200; xfs_freeze -f "$MNT"; cp "$IMAGE" "$COPY"; xfs_freeze -u "$MNT"`;
    expect(await stateOf(await copyOf(`${name}-frozen`, frozen, mkfs))).toBe('settled');
  });

  it('that is dirty makes opening ask for the kernel', async () => {
    for (const [name, script] of [
      ['crash', WORK_AND_COPY],
      [
        'shutdown',
        `${WORK_AND_COPY}; mkdir "$MNT/x"; xfs_io -x -c "shutdown -f" "$MNT"; cp "$IMAGE" "$COPY"`,
      ],
    ] as const) {
      await using device = await FileBlockDevice.open(await copyOf(name, script));
      await expect(openXfs(device)).rejects.toBeInstanceOf(RecoveryNeededError);
    }
  });

  it('of a frozen volume is read as it is, for all is in its place', async () => {
    const live = folder.image('frozen-tree');
    const copy = folder.image('frozen-tree-copy');
    const newerMkfs = await newerTool('mkfs.xfs');
    await makeImage(live, 64, [...newerMkfs, ...SMALL.slice(1)]);
    const listing = await onMountedImage(
      live,
      `${FILL_TREE} 500\n${LIST_TREE}\nxfs_freeze -f "$MNT"; cp "$IMAGE" "$COPY"; xfs_freeze -u "$MNT"`,
      { environment: { COPY: copy } },
    );
    expect(await stateOf(copy)).toBe('settled');
    await using device = await FileBlockDevice.open(copy);
    const ours = await readerListing(await openXfs(device));
    expect(listingDifferences(parseKernelListing(listing), ours)).toEqual([]);
  });

  it('that is not dirty at a power cut hides nothing from the kernel, which replays it', async () => {
    const outer = folder.image('outer');
    await makeImage(outer, 700, ['mkfs.xfs', '-q', '-f', '-K']);
    // Clones of the backing file are atomic: what the disk held at one moment of the work.
    const printed = await onMountedImage(
      outer,
      `truncate -s 64M "$MNT/live"; mkfs.xfs -q -f -K --unsupported "$MNT/live" >/dev/null 2>&1
       mkdir "$MNT/inner"; mount -o loop,wsync "$MNT/live" "$MNT/inner"
       cut() { cp --reflink=always "$MNT/live" "$MNT/cut-$1"; }
       cut idle
       "$PYTHON" "$SUPPORT/fill-tree.py" "$MNT/inner" 100 & work=$!
       for n in $(seq $CUTS); do sleep 0.1; cut "work-$n"; done
       wait $work; cut done
       sync -f "$MNT/inner"; cut synced
       xfs_freeze -f "$MNT/inner"; cut frozen; xfs_freeze -u "$MNT/inner"; cut thawed
       mkdir "$MNT/inner/again"; xfs_io -c fsync "$MNT/inner/again"; cut again
       mount -o remount,ro "$MNT/inner"; cut remounted
       umount "$MNT/inner"
       for image in "$MNT"/cut-*; do
         cp --sparse=always "$image" "$FOLDER/$(basename "$image")"
         mount -o loop "$image" "$MNT/inner"
         "$PYTHON" "$SUPPORT/list-tree.py" "$MNT/inner" > "$FOLDER/$(basename "$image").list"; umount "$MNT/inner"
         basename "$image"
       done`,
      { environment: { FOLDER: folder.path, CUTS: process.env['CUTS'] ?? '5' } },
    );
    const states: Record<string, LogState> = {};
    for (const name of printed.trim().split('\n')) {
      const image = join(folder.path, name);
      states[name] = await stateOf(image);
      if (states[name] === 'dirty') continue;
      const kernel = parseKernelListing(await readFile(`${image}.list`, 'utf8'));
      await using device = await FileBlockDevice.open(image);
      const differences = listingDifferences(kernel, await readerListing(await openXfs(device)));
      expect([name, differences]).toEqual([name, []]);
    }
    expect(states).toMatchObject({
      'cut-idle': 'clean',
      'cut-frozen': 'settled',
      'cut-again': 'dirty',
      'cut-remounted': 'clean',
    });
  });
});
