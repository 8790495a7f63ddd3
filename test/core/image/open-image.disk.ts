import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import fc from 'fast-check';
import { ImageElvesError } from '../../../core/errors';
import { MemoryBlockDevice } from '../../../core/block-device/memory-block-device';
import { OverlayBlockDevice } from '../../../core/block-device/overlay-block-device';
import type { ImageVolume } from '../../../core/image/image';
import { openImage, openWritableImage } from '../../../core/image/open-image';
import { blkid, fillPartition, makeDisk, type SfdiskPartition } from '../../support/disk-with-partitions';
import { FileBlockDevice } from '../../support/file-block-device';
import { LIST_TREE, makeImage } from '../../support/mounted-image';
import { listingDifferences, parseKernelListing, readerListing } from '../../support/tree-listing';

const run = promisify(execFile);

const GPT = `label: gpt
size=1M, type=21686148-6449-6E6F-744E-656564454649
size=40M, name="root"
size=16M, name="my home"
size=8M, type=S
`;
/** Partition 4 is an extended one, so that the home is a logical one. */
const MBR = `label: dos
size=1M
size=40M
size=8M, type=82
type=E
size=16M
`;

let folder: string;
const open: FileBlockDevice[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'open-image-'));
});
afterAll(async () => {
  await Promise.all(open.map((device) => device[Symbol.asyncDispose]()));
  await rm(folder, { recursive: true });
});

async function tree(name: string, files: Readonly<Record<string, string>>): Promise<string> {
  const root = join(folder, name);
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text);
  }
  return root;
}

async function volume(
  file: string,
  deviceName: string,
  isRoot: boolean,
): Promise<ImageVolume<FileBlockDevice>> {
  const device = await FileBlockDevice.open(file);
  open.push(device);
  return { volumeId: `vol-${isRoot ? 'root' : 'data'}`, deviceName, isRoot, device };
}

describe.each([
  ['GPT', GPT, { root: 2, home: 3, swap: 4 }],
  ['MBR with logical partitions', MBR, { root: 2, home: 5, swap: 3 }],
])('a machine of two volumes, %s', (name, script, numbers) => {
  let disk: string;
  let diskUuid: string;
  let parts: Record<keyof typeof numbers, SfdiskPartition>;
  let volumes: ImageVolume<FileBlockDevice>[];

  beforeAll(async () => {
    disk = join(folder, `${name.slice(0, 3)}.img`);
    const made = await makeDisk(disk, 96, script);
    diskUuid = made.diskUuid;
    const part = (number: number): SfdiskPartition => made.partitions.find((one) => one.number === number)!;
    parts = { root: part(numbers.root), home: part(numbers.home), swap: part(numbers.swap) };
    const home = await tree(`${name}-home`, { 'ada/notes': 'notes', 'data/hidden': 'x' });
    await fillPartition(disk, parts.home, ['mkfs.ext4', '-q', '-L', 'my home', '-d', home]);
    await fillPartition(disk, parts.swap, ['mkswap', '-L', 'swap']);
    const data = join(folder, `${name.slice(0, 3)}-data.img`);
    const table = await tree(`${name}-data`, { table: '1,2,3' });
    await makeImage(data, 16, ['mkfs.ext4', '-q', '-d', table]);
    const root = await tree(`${name}-root`, {
      'etc/fstab': [
        `UUID=${'0'.repeat(8)} /mnt ext4 nofail`,
        `PARTUUID=${parts.home.partUuid.toUpperCase()} /home ext4 defaults 0 2`,
        '/dev/nvme1n1 /home/data ext4 defaults 0 2',
        `UUID=${(await blkid(disk, parts.swap)).uuid} none swap sw 0 0`,
      ].join('\n'),
      'etc/os-release': 'ID=debian\nVERSION_ID="12"\n',
      'etc/hostname': 'web-1\n',
      'home/hidden': 'under the mount',
    });
    await fillPartition(disk, parts.root, ['mkfs.ext4', '-q', '-L', 'root', '-d', root]);
    volumes = [await volume(disk, '/dev/xvda', true), await volume(data, '/dev/sdf', false)];
  });

  it('is one tree, as the kernel shows it when it mounts the same', async () => {
    const image = await openImage(volumes);
    const script = `
      MNT=$(mktemp -d); trap 'cd /; umount -R "$MNT"; rmdir "$MNT"' EXIT
      mount -o ro,loop,offset=${parts.root.offsetBytes},sizelimit=${parts.root.sizeBytes} "$DISK" "$MNT"
      mount -o ro,loop,offset=${parts.home.offsetBytes},sizelimit=${parts.home.sizeBytes} "$DISK" "$MNT/home"
      mount -o ro,loop "$DATA" "$MNT/home/data"
      ${LIST_TREE}`;
    const { stdout } = await run(
      'unshare',
      ['--mount', '--propagation', 'private', '--', 'sh', '-euc', script],
      {
        env: {
          ...process.env,
          DISK: disk,
          DATA: join(folder, `${name.slice(0, 3)}-data.img`),
          SUPPORT: join(__dirname, '../../support'),
          PYTHON: '/usr/bin/python3',
        },
      },
    );
    const kernel = parseKernelListing(stdout);
    expect([...kernel.keys()]).toContain('/home/data/table');
    expect([...kernel.keys()]).not.toContain('/home/hidden');
    expect(listingDifferences(kernel, await readerListing(image))).toEqual([]);
  });

  it('has the identifiers that blkid and sfdisk read', async () => {
    const { identity, ignoredMounts, mounts } = await openImage(volumes);
    const tags = await Promise.all(Object.values(parts).map((part) => blkid(disk, part)));
    expect(identity.filesystemUuids).toEqual(expect.arrayContaining(tags.map(({ uuid }) => uuid)));
    expect(identity.filesystemLabels).toEqual(['my home', 'root', 'swap']);
    expect(identity.diskUuids).toEqual([diskUuid]);
    expect(identity.partUuids).toEqual(
      expect.arrayContaining(Object.values(parts).map(({ partUuid }) => partUuid)),
    );
    expect(mounts.map(({ mountPoint, partition }) => [mountPoint, partition])).toEqual([
      ['/', numbers.root],
      ['/home', numbers.home],
      ['/home/data', undefined],
    ]);
    expect(ignoredMounts.map(({ mountPoint }) => mountPoint)).toEqual(['/mnt', 'none']);
  });

  it('can be changed on each of its filesystems, and only there', async () => {
    const overlays = volumes.map((one) => ({ ...one, device: new OverlayBlockDevice(one.device) }));
    const image = await openWritableImage(overlays);
    const home = image.writableMounts.find(({ mountPoint }) => mountPoint === '/home')!.writer!;
    const metadata = { mode: 0o640, uid: 7, gid: 7, mtimeNs: 5n, xattrs: new Map<string, Uint8Array>() };
    await home.writeFile('/ada/new', Buffer.from('new'), metadata);
    expect(Buffer.from(await image.readFile('/home/ada/new')).toString()).toBe('new');
    expect(overlays[1]!.device.dirtyBlocks()).toEqual([]);
    const dirty = overlays[0]!.device.dirtyBlocks().map((index) => index * 524_288);
    expect(dirty.length).toBeGreaterThan(0);
    const { offsetBytes, sizeBytes } = parts.home;
    expect(dirty.every((at) => at + 524_288 > offsetBytes && at < offsetBytes + sizeBytes)).toBe(true);
  });
});

describe('volumes that are no machine', () => {
  const only = (device: MemoryBlockDevice | FileBlockDevice): ImageVolume => ({
    volumeId: 'vol-1',
    deviceName: '/dev/xvda',
    isRoot: true,
    device,
  });

  it('are refused when they are empty', async () => {
    await expect(openImage([only(new MemoryBlockDevice(4 * 1024 * 1024))])).rejects.toMatchObject({
      name: 'NoRootFilesystemError',
    });
    await expect(openImage([])).rejects.toMatchObject({ name: 'NoRootFilesystemError' });
  });

  it('are refused when the superblock is damaged', async () => {
    const file = join(folder, 'damaged.img');
    await makeImage(file, 16, ['mkfs.ext4', '-q', '-d', await tree('damaged', { 'etc/fstab': '' })]);
    const device = new MemoryBlockDevice(16 * 1024 * 1024);
    await using source = await FileBlockDevice.open(file);
    await device.write(0, await source.read(0, source.sizeBytes));
    await device.write(1024 + 24, Uint8Array.of(0xff, 0xff));
    await expect(openImage([only(device)])).rejects.toMatchObject({ name: 'CorruptFilesystemError' });
  });

  it('are refused by name when their filesystem is another', async () => {
    const file = join(folder, 'btrfs.img');
    await makeImage(file, 320, ['mkfs.btrfs', '-q']);
    await using device = await FileBlockDevice.open(file);
    await expect(openImage([only(device)])).rejects.toMatchObject({
      name: 'UnsupportedFilesystemError',
      kind: 'btrfs',
      where: 'vol-1 (/dev/xvda)',
    });
  });

  it('never break what reads them but by errors of ours, however damaged they are', async () => {
    const file = join(folder, 'fuzz.img');
    const files = {
      'etc/fstab': '',
      ...Object.fromEntries(Array.from({ length: 99 }, (_, i) => [`d/${i}`, `${i}`])),
    };
    await makeImage(file, 8, ['mkfs.ext4', '-q', '-O', '^metadata_csum', '-d', await tree('fuzz', files)]);
    const whole = await readFile(file);
    const used = Array.from({ length: whole.length / 64 }, (_, i) => i * 64).filter((at) =>
      whole.subarray(at, at + 64).some((byte) => byte !== 0),
    );
    const change = fc.record({
      at: fc.oneof(fc.integer({ min: 1024, max: 2047 }), fc.constantFrom(...used)),
      within: fc.nat({ max: 63 }),
      value: fc.oneof(fc.constant(0xff), fc.nat({ max: 0xff })),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 4 }), async (changes) => {
        const device = new MemoryBlockDevice(whole.length);
        await device.write(0, whole);
        for (const { at, within, value } of changes) {
          await device.write(Math.min(at + within, whole.length - 1), Uint8Array.of(value));
        }
        try {
          const image = await openImage([only(device)]);
          for await (const { path, stat } of image.scan()) {
            if (stat.type === 'file' && stat.sizeBytes < whole.length) await image.readFile(path);
          }
        } catch (error) {
          expect(error).toBeInstanceOf(ImageElvesError);
        }
      }),
      { numRuns: 100 },
    );
  }, 60_000);
});
