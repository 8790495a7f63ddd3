import { execFile } from 'node:child_process';
import { mkdir, readFile, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { openFat } from '../../../../core/filesystem/fat/open-fat';
import { blkid } from '../../../support/disk-with-partitions';
import { FileBlockDevice } from '../../../support/file-block-device';
import { ImageFolder, makeImage } from '../../../support/mounted-image';

const run = promisify(execFile);
const environment = { ...process.env, TZ: 'UTC', LC_ALL: 'C.UTF-8', MTOOLS_SKIP_CHECK: '1' };
const mtools = (command: string, ...args: string[]) =>
  run(command, args, { env: environment, maxBuffer: 64 * 1024 * 1024 });

const MTIME_SECONDS = 1_700_000_000;

/** Names as an EFI system partition has them, and as it should not. */
const FILES: Readonly<Record<string, Uint8Array>> = {
  '/EFI/debian/grubx64.efi': Buffer.alloc(300_000, 'grub of many clusters '),
  '/EFI/BOOT/BOOTX64.EFI': Buffer.from('boot'),
  '/EFI/BOOT/empty': Buffer.alloc(0),
  '/lower.txt': Buffer.from('lower case in eight and three'),
  '/A long name with blanks, and a comma.config': Buffer.from('long'),
  [`/${'n'.repeat(255)}`]: Buffer.from('longest'),
  '/Grüße, Жизнь, 日本.txt': Buffer.from('unicode'),
  '/two.dots.in.name': Buffer.from('dots'),
};

let folder: ImageFolder;
beforeAll(async () => {
  folder = await ImageFolder.make();
});
afterAll(async () => folder[Symbol.asyncDispose]());

async function filledBy(file: string): Promise<void> {
  const tree = join(folder.path, `${file.split('/').at(-1)}.tree`);
  const directories = new Set<string>();
  for (const [path, content] of Object.entries(FILES)) {
    await mkdir(dirname(join(tree, path)), { recursive: true });
    await writeFile(join(tree, path), content);
    await utimes(join(tree, path), MTIME_SECONDS, MTIME_SECONDS);
    for (let at = dirname(path); at !== '/'; at = dirname(at)) directories.add(at);
  }
  for (const directory of [...directories].sort()) await mtools('mmd', '-i', file, `::${directory}`);
  // Holes between clusters, so that what follows lies in pieces.
  const gap = join(tree, 'gap');
  await writeFile(gap, Buffer.alloc(9000, 'x'));
  for (const name of ['1', '2', '3', '4', '5', '6']) await mtools('mcopy', '-i', file, gap, `::/gap${name}`);
  for (const name of ['1', '3', '5']) await mtools('mdel', '-i', file, `::/gap${name}`);
  for (const path of Object.keys(FILES))
    await mtools('mcopy', '-m', '-i', file, join(tree, path), `::${path}`);
  for (const name of ['2', '4', '6']) await mtools('mdel', '-i', file, `::/gap${name}`);
  await mtools('mattrib', '+r', '-i', file, '::/lower.txt');
}

describe('a FAT filesystem', () => {
  it.each([
    ['FAT12', 2, ['-F', '12']],
    ['FAT16', 16, ['-F', '16', '-s', '1']],
    ['FAT32', 72, ['-F', '32', '-s', '2']],
    ['FAT32 in sectors of 4096 bytes', 264, ['-F', '32', '-S', '4096', '-s', '1']],
    ['FAT16 with one table and large clusters', 48, ['-F', '16', '-f', '1', '-s', '16']],
  ])('%s is read as mtools wrote it', async (name, sizeMiB, options) => {
    const file = folder.image(name);
    await makeImage(file, sizeMiB, ['mkfs.vfat', '-n', 'EFI', ...options]);
    await filledBy(file);
    await run('fsck.vfat', ['-n', file]);
    await using device = await FileBlockDevice.open(file);
    const filesystem = await openFat(device);

    const tags = await blkid(file, {
      number: 1,
      offsetBytes: 0,
      sizeBytes: device.sizeBytes,
      partUuid: '',
      name: '',
    });
    expect([filesystem.uuid, filesystem.label]).toEqual([tags.uuid, tags.label]);
    const found: Record<string, string> = {};
    for await (const { path, stat } of filesystem.scan()) {
      expect(await filesystem.lstat(path)).toEqual(stat);
      if (stat.type === 'directory') {
        const names = (await filesystem.readdir(path)).map((entry) => entry.name);
        expect(new Set(names).size).toBe(names.length);
        continue;
      }
      found[path] = Buffer.from(await filesystem.readFile(path)).toString('base64');
      expect([path, stat.mtimeNs / 1_000_000_000n]).toEqual([path, BigInt(MTIME_SECONDS)]);
      expect([path, stat.mode]).toEqual([path, path === '/lower.txt' ? 0o555 : 0o755]);
      expect(stat.sizeBytes).toBe(FILES[path]?.length);
    }
    expect(found).toEqual(
      Object.fromEntries(
        Object.entries(FILES).map(([path, bytes]) => [path, Buffer.from(bytes).toString('base64')]),
      ),
    );
    expect((await filesystem.lstat('/efi/DEBIAN/GrubX64.efi'))?.type).toBe('file');
    expect(await filesystem.lstat('/efi/none')).toBeUndefined();
    const part = await filesystem.readFile('/EFI/debian/grubx64.efi', {
      offsetBytes: 5000,
      lengthBytes: 7000,
    });
    expect(Buffer.from(part).equals(FILES['/EFI/debian/grubx64.efi']!.subarray(5000, 12_000))).toBe(true);

    const { stdout } = await mtools('minfo', '-i', file, '::');
    const free = /free clusters=(\d+)/.exec(stdout)?.[1];
    if (free !== undefined) {
      const sectorsPerCluster = Number(/cluster size: (\d+) sectors/.exec(stdout)![1]);
      const sectorBytes = (await readFile(file)).readUInt16LE(11);
      expect(await filesystem.freeBytes()).toBe(Number(free) * sectorsPerCluster * sectorBytes);
    }
  });

  it('asked for what it has not says so', async () => {
    const file = folder.image('errors');
    await makeImage(file, 2, ['mkfs.vfat']);
    await filledBy(file);
    await using device = await FileBlockDevice.open(file);
    const filesystem = await openFat(device);
    expect(filesystem.label).toBe('');
    await expect(filesystem.readFile('/none')).rejects.toMatchObject({ name: 'NotFoundError' });
    await expect(filesystem.readFile('/EFI')).rejects.toMatchObject({ name: 'WrongFileTypeError' });
    await expect(filesystem.readdir('/lower.txt')).rejects.toMatchObject({ name: 'NotADirectoryError' });
    await expect(filesystem.readlink('/lower.txt')).rejects.toMatchObject({ name: 'WrongFileTypeError' });
    expect(await filesystem.lstat('/lower.txt/below')).toBeUndefined();
    expect((await filesystem.xattrs('/lower.txt')).size).toBe(0);
  });
});
