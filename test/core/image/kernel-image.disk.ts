import { execFile } from 'node:child_process';
import { copyFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { KernelEngine } from '../../../core/apply/kernel-engine';
import type { ResolvedOperation } from '../../../core/apply/apply-engine';
import { OverlayBlockDevice } from '../../../core/block-device/overlay-block-device';
import type { FilesystemReader } from '../../../core/filesystem/filesystem';
import type { LinuxKernel } from '../../../core/filesystem/linux-kernel';
import type { Image, ImageVolume } from '../../../core/image/image';
import { openImage, openWritableImage } from '../../../core/image/open-image';
import { fillPartition, makeDisk } from '../../support/disk-with-partitions';
import { FileBlockDevice } from '../../support/file-block-device';
import { flushOverlay } from '../../support/flush-overlay';
import { kernelForTests } from '../../support/kernel-engine';
import { ImageFolder } from '../../support/mounted-image';
import { parseKernelListing, readerListing } from '../../support/tree-listing';

jest.setTimeout(180_000);

const run = promisify(execFile);

/** Disks of a machine that lost its power: XFS with /boot/efi on the first, a btrfs with subvolumes on the second. */
const DISK = 'label: gpt\nsize=34M, type=U\nsize=320M\n';

const LIVE = `
  mkdir -p "$WORK/root" "$WORK/pool"
  mount -o "loop,offset=$OFFSET,sizelimit=$SIZE" "$DISK" "$WORK/root"
  mount -o loop "$POOL" "$WORK/pool"
  trap 'umount "$WORK/root" "$WORK/pool"' EXIT
  for name in @home @srv; do btrfs -q subvolume create "$WORK/pool/$name"; done
  mkdir -p "$WORK/root/etc" "$WORK/root/boot/efi" "$WORK/root/home" "$WORK/root/srv" "$WORK/pool/@home/ada"
  printf '%b' "$FSTAB" > "$WORK/root/etc/fstab"
  seq 100000 > "$WORK/pool/@srv/numbers"
  sync -f "$WORK/root"; sync -f "$WORK/pool"
  for number in $(seq 40); do echo "$number" > "$WORK/root/etc/file-$number"; done
  echo notes > "$WORK/pool/@home/ada/notes"
  ln "$WORK/pool/@home/ada/notes" "$WORK/pool/@home/ada/same"
  sync "$WORK/root/etc/"* "$WORK/root/etc"
  sync "$WORK/pool/@home/ada/notes"
  # What is on the disks now is what a power cut leaves.
  cp "$DISK" "$DISK.cut"; cp "$POOL" "$POOL.cut"
  "$PYTHON" "$SUPPORT/list-tree.py" "$WORK/root" > "$WORK/root.list"
  "$PYTHON" "$SUPPORT/list-tree.py" "$WORK/pool/@home" > "$WORK/home.list"
  cat "$WORK/root.list"; echo; cat "$WORK/home.list"`;

let folder: ImageFolder;
let kernel: LinuxKernel;
let wanted: Record<'/' | '/home', Listing>;

type Listing = Readonly<Record<string, string>>;

/**
 * Paths with what an update sees of them. Inode numbers and sizes of directories are each reader's own; their times were
 * not asked to be on the disk when the power went.
 */
function visible(listing: Awaited<ReturnType<typeof readerListing>>): Listing {
  return Object.fromEntries(
    [...listing].flatMap(([path, line]) => {
      if (path === 'free') return [];
      const { inode, sizeBytes, mtimeNs, ctimeNs, ...rest } = JSON.parse(line) as Record<string, unknown>;
      const ofFile = rest['type'] === 'file' && { sizeBytes, mtimeNs, ctimeNs };
      return [[path, JSON.stringify({ ...rest, ...ofFile })]];
    }),
  );
}

async function volumes(files: Disks): Promise<ImageVolume<FileBlockDevice>[]> {
  return Promise.all(
    [files.disk, files.pool].map(async (file, index) => ({
      volumeId: `vol-${index}`,
      deviceName: index === 0 ? '/dev/xvda' : '/dev/sdf',
      isRoot: index === 0,
      device: await FileBlockDevice.open(file),
    })),
  );
}

interface Disks {
  readonly disk: string;
  readonly pool: string;
}
let live: Disks;
let cut: Disks;
let root: { offsetBytes: number; sizeBytes: number };

beforeAll(async () => {
  kernel = await kernelForTests();
  folder = await ImageFolder.make();
  live = { disk: folder.image('disk'), pool: folder.image('pool') };
  cut = { disk: `${live.disk}.cut`, pool: `${live.pool}.cut` };
  const { partitions } = await makeDisk(live.disk, 360, DISK);
  const [efi, xfs] = partitions;
  root = xfs!;
  await fillPartition(live.disk, efi!, ['mkfs.vfat', '-n', 'ESP']);
  await fillPartition(live.disk, xfs!, ['mkfs.xfs', '-q', '-L', 'root']);
  await writeFile(live.pool, '');
  await truncate(live.pool, 128 * 1024 * 1024);
  await run('mkfs.btrfs', ['-q', '-L', 'pool', live.pool]);
  const fstab = [
    'LABEL=root / xfs defaults 0 0',
    `PARTUUID=${efi!.partUuid} /boot/efi vfat umask=0077 0 1`,
    'LABEL=pool /home btrfs subvol=@home 0 0',
    'LABEL=pool /srv btrfs subvol=/@srv,noatime 0 0',
    '',
  ].join('\\n');
  const { stdout } = await run('unshare', ['--mount', '--propagation', 'private', '--', 'sh', '-euc', LIVE], {
    env: {
      ...process.env,
      WORK: folder.path,
      DISK: live.disk,
      POOL: live.pool,
      OFFSET: String(root.offsetBytes),
      SIZE: String(root.sizeBytes),
      FSTAB: fstab,
      SUPPORT: join(__dirname, '../../support'),
      PYTHON: '/usr/bin/python3',
    },
    maxBuffer: 64 * 1024 * 1024,
  });
  const [first, second] = stdout.split('\n\n');
  wanted = { '/': visible(parseKernelListing(first!)), '/home': visible(parseKernelListing(second!)) };
});
afterAll(async () => folder[Symbol.asyncDispose]());

const readerOf = (image: Image, mountPoint: string): FilesystemReader =>
  image.mounts.find((mount) => mount.mountPoint === mountPoint)!.filesystem;
const textAt = async (image: Image, path: string): Promise<string> =>
  Buffer.from(await image.readFile(path)).toString();

describe('a machine of XFS, FAT and btrfs that lost its power', () => {
  it('is read as its kernel had it, logs replayed in memory', async () => {
    await using image = closing(await openImage(await volumes(cut), { kernel }));
    expect(
      image.value.mounts.map(({ mountPoint, kind, volumeIds }) => [mountPoint, kind, volumeIds]),
    ).toEqual([
      ['/', 'xfs', ['vol-0']],
      ['/srv', 'btrfs', ['vol-1']],
      ['/home', 'btrfs', ['vol-1']],
      ['/boot/efi', 'vfat', ['vol-0']],
    ]);
    for (const mountPoint of ['/', '/home'] as const) {
      const found = visible(await readerListing(readerOf(image.value, mountPoint)));
      expect(found).toEqual(wanted[mountPoint]);
    }
    expect((await textAt(image.value, '/srv/numbers')).length).toBe(588_895);
  });

  it('is refused without a kernel, by what stands in the way', async () => {
    await expect(openImage(await volumes(cut))).rejects.toMatchObject({
      name: 'RecoveryNeededError',
      kind: 'xfs',
    });
  });

  it('is changed on each of its filesystems, and each is what its own check wants', async () => {
    const bases = await volumes(cut);
    const overlays = bases.map((one) => ({ ...one, device: new OverlayBlockDevice(one.device) }));
    await using opened = closing(await openWritableImage(overlays, { kernel }));
    const image = opened.value;
    const metadata = {
      mode: 0o640,
      uid: 7,
      gid: 7,
      mtimeNs: 1_700_000_000n * 1_000_000_000n,
      xattrs: new Map(),
    };
    const paths = ['/etc/new', '/home/ada/new', '/srv/new', '/boot/efi/new'];
    await new KernelEngine(kernel).perform(
      image.writableMounts,
      (async function* (): AsyncIterable<ResolvedOperation> {
        for (const path of paths) {
          const isFat = path.startsWith('/boot/efi');
          const owner = isFat ? { mode: 0o755, uid: 0, gid: 0 } : {};
          yield { kind: 'put-file', path, content: Buffer.from(path), metadata: { ...metadata, ...owner } };
        }
      })(),
    );
    await using again = closing(await image.reopen());
    for (const path of paths) expect(await textAt(again.value, path)).toBe(path);
    expect(await textAt(again.value, '/home/ada/notes')).toBe('notes\n');
    const patched = { disk: folder.image('patched-disk'), pool: folder.image('patched-pool') };
    for (const [index, name] of (['disk', 'pool'] as const).entries()) {
      await copyFile(cut[name], patched[name]);
      await flushOverlay(overlays[index]!.device, patched[name]);
    }
    const part = `${patched.disk}.part`;
    await run('dd', [
      `if=${patched.disk}`,
      `of=${part}`,
      `skip=${root.offsetBytes}`,
      `count=${root.sizeBytes}`,
      'iflag=skip_bytes,count_bytes',
      'bs=1M',
      'status=none',
    ]);
    await run('xfs_repair', ['-n', part]);
    await run('btrfs', ['check', '--readonly', patched.pool]);
  });
});

function closing<I extends Image>(value: I): AsyncDisposable & { readonly value: I } {
  return { value, [Symbol.asyncDispose]: () => value.close() };
}
