import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';

/** Each layout is made by its own tools and mounted again by its fstab alone, in a program with mounts of its own. */
const PROGRAM = path.join(__dirname, '../../support/make-layouts.ts');

interface Made {
  readonly layout: string;
  readonly fstab: string;
  readonly mounted: readonly { mountPoint: string; kind: string }[];
  readonly notMounted: readonly { mountPoint: string; kind: string }[];
  readonly files: readonly string[];
  readonly uuidsBefore: readonly string[];
  readonly uuidsAfter: readonly string[];
}

let made: readonly Made[];

beforeAll(async () => {
  const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', PROGRAM], {
    cwd: path.join(__dirname, '../../..'),
  });
  made = JSON.parse(stdout) as Made[];
}, 120_000);

const FAT_IS_KNOWN = readFile('/proc/filesystems', 'utf8').then((text) => /\bvfat$/m.test(text));

test.each([
  ['ext4', ['/ ext4']],
  ['XFS', ['/ xfs', '/boot xfs']],
  ['XFS, /boot on ext4', ['/ xfs', '/boot ext4']],
  ['btrfs', ['/ btrfs', '/home btrfs']],
  ['XFS on LVM', ['/ xfs', '/boot ext4', '/var xfs']],
  ['ext4, /var on a second volume', ['/ ext4', '/var xfs']],
])('%s is mounted by its own fstab, every mount with its own content', async (name, expected) => {
  const { mounted, notMounted, files } = made.find(({ layout }) => layout === name) as Made;
  const linux = mounted.filter(({ kind }) => kind !== 'vfat');
  expect(linux.map(({ mountPoint, kind }) => `${mountPoint} ${kind}`).sort()).toEqual(expected);
  expect(files.toSorted()).toEqual(linux.map(({ mountPoint }) => path.join(mountPoint, 'which')).sort());
  const hasFat = name === 'XFS' || name === 'XFS on LVM';
  const fat = (await FAT_IS_KNOWN) ? mounted : notMounted;
  expect(fat.filter(({ kind }) => kind === 'vfat')).toHaveLength(hasFat ? 1 : 0);
});

test('a machine has UUIDs of its own, and its fstab names them', () => {
  for (const { uuidsBefore, uuidsAfter, fstab } of made) {
    expect(uuidsAfter).toHaveLength(uuidsBefore.length);
    for (const uuid of uuidsAfter) expect(uuidsBefore).not.toContain(uuid);
    for (const [, uuid] of fstab.matchAll(/^UUID=(\S{36}) /gm)) expect(uuidsAfter).toContain(uuid);
  }
});
