import { execFile } from 'node:child_process';
import { open } from 'node:fs/promises';
import { promisify } from 'node:util';
import { OverlayBlockDevice } from '../../core/block-device/overlay-block-device';
import { FileBlockDevice } from '../support/file-block-device';
import { flushOverlay } from '../support/flush-overlay';
import { kernelForTests } from '../support/kernel-engine';
import { e2fsck, ImageFolder, makeImage, onMountedImage } from '../support/mounted-image';

const run = promisify(execFile);

jest.setTimeout(180_000);

/** Writes, and cuts the filesystem off its disk with all of it in the log alone (FS_IOC_SHUTDOWN, FSOP_GOING_FLAGS_LOGFLUSH). */
const FILL_AND_CUT = `
mkdir "$MNT/before"; echo kept >"$MNT/before/file"; sync -f "$MNT"
for n in $(seq 200); do echo "$n" >"$MNT/before/$n"; done
mv "$MNT/before/file" "$MNT/moved"
"$PYTHON" - "$MNT" <<'PYTHON'
import fcntl, os, struct, sys
fd = os.open(sys.argv[1], os.O_RDONLY)
os.fsync(fd)
fcntl.ioctl(fd, 0x8004587D, struct.pack("I", 1))
PYTHON`;

const KINDS = [
  { kind: 'ext4', mkfs: ['mkfs.ext4', '-q', '-F'] },
  { kind: 'xfs', mkfs: ['mkfs.xfs', '-q', '-f'] },
];

async function complaints(kind: string, file: string): Promise<string> {
  if (kind === 'ext4') return e2fsck(file);
  return run('xfs_repair', ['-n', file]).then(
    () => '',
    (error: { stderr: string }) => error.stderr,
  );
}

describe.each(KINDS)('recover of $kind', ({ kind, mkfs }) => {
  let folder: ImageFolder;
  let file: string;

  beforeAll(async () => {
    folder = await ImageFolder.make();
    file = folder.image(kind);
    await makeImage(file, 320, mkfs);
    await onMountedImage(file, FILL_AND_CUT);
  });
  afterAll(() => folder[Symbol.asyncDispose]());

  it('replays the log into the overlay, and nothing into the disk below', async () => {
    const kernel = await kernelForTests();
    await using device = await FileBlockDevice.open(file);
    const { stdout: before } = await run('sha256sum', [file]);
    const overlay = new OverlayBlockDevice(device);
    await kernel.recover([{ kind, device: overlay }]);
    expect((await run('sha256sum', [file])).stdout).toBe(before);

    const reading = await kernel.read([{ kind, device: overlay }]);
    const [filesystem] = reading.filesystems;
    expect(await filesystem!.readFile('/moved')).toEqual(new Uint8Array(Buffer.from('kept\n')));
    expect((await filesystem!.readdir('/before')).length).toBe(200);
    await reading.close();

    // What was recovered is what this machine's kernel makes of it, and stays so.
    const recovered = folder.image('recovered');
    await run('cp', ['--sparse=always', file, recovered]);
    await flushOverlay(overlay, recovered);
    expect(await complaints(kind, recovered)).toBe('');
    expect(await kernel.verify([{ kind, device: overlay }])).toEqual([]);
  });
});

/** Changes one byte that a checksum stands over. */
async function damage(file: string, offsetBytes: number): Promise<void> {
  const handle = await open(file, 'r+');
  const { buffer } = await handle.read(Buffer.alloc(1), 0, 1, offsetBytes);
  await handle.write(Buffer.from([buffer[0]! ^ 0x5a]), 0, 1, offsetBytes);
  await handle.close();
}

describe('verify', () => {
  it('says what the own checks of the filesystems find, and nothing of a sound one', async () => {
    await using folder = await ImageFolder.make();
    const kernel = await kernelForTests();
    const volumes = [
      // The bitmap of the first group; the free space of the first group; the second copy is left to the check.
      {
        kind: 'ext4',
        sizeMiB: 32,
        mkfs: ['mkfs.ext4', '-q', '-F', '-O', '^flex_bg,^resize_inode', '-b', '4096'],
      },
      { kind: 'xfs', sizeMiB: 320, mkfs: ['mkfs.xfs', '-q', '-f', '-b', 'size=4096', '-s', 'size=512'] },
      { kind: 'btrfs', sizeMiB: 200, mkfs: ['mkfs.btrfs', '-q', '-f'] },
      { kind: 'vfat', sizeMiB: 40, mkfs: ['mkfs.vfat', '-F', '32', '-n', 'BOOT'] },
    ];
    await using devices = new AsyncDisposableStack();
    const filesystems: { kind: string; device: FileBlockDevice; file: string }[] = [];
    for (const { kind, sizeMiB, mkfs } of volumes) {
      const file = folder.image(kind);
      await makeImage(file, sizeMiB, mkfs);
      filesystems.push({ kind, device: devices.use(await FileBlockDevice.open(file)), file });
    }
    expect(await kernel.verify(filesystems)).toEqual([]);

    const [ext4, xfs, , vfat] = filesystems;
    const { stdout } = await run('dumpe2fs', [ext4!.file]);
    const [, bitmap] = /Group 0:[^]*?Inode bitmap at (\d+)/.exec(stdout)!;
    await damage(ext4!.file, Number(bitmap) * 4096 + 5);
    // The counts of free space in the header of the first group (xfs_agf), without its checksum.
    await damage(xfs!.file, 512 + 52);
    // The first copy of the table of files no longer equals the second.
    await damage(vfat!.file, 32 * 512 + 400);
    const findings = await kernel.verify([ext4!, vfat!]);
    expect(findings.join('\n')).toMatch(/bitmap/i);
    expect(findings.join('\n')).toMatch(/FATs differ/);
    const inXfs = await kernel.verify([xfs!]).catch((error: Error) => [error.message]);
    expect(inXfs.join('\n')).toMatch(/agf|AGF|checksum|cannot be mounted|bad/);
  });
});
