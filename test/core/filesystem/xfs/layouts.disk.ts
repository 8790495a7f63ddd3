import { execFile } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { promisify } from 'node:util';
import { openXfs } from '../../../../core/filesystem/xfs/open-xfs';
import { FileBlockDevice } from '../../../support/file-block-device';
import { ImageFolder, LIST_TREE, makeImage, onMountedImage } from '../../../support/mounted-image';
import { newerTool } from '../../../support/newer-tools';
import { listingDifferences, parseKernelListing, readerListing } from '../../../support/tree-listing';

const run = promisify(execFile);
jest.setTimeout(120_000);

const SMALL = ['-q', '-f', '-K', '--unsupported'];
const FILL_XFS = '"$PYTHON" "$SUPPORT/fill-xfs.py" "$MNT"';

let folder: ImageFolder;
beforeAll(async () => {
  folder = await ImageFolder.make();
});
afterAll(async () => folder[Symbol.asyncDispose]());

/** Makes a volume, has the kernel fill it, and compares. @returns the file */
async function expectEqual(
  name: string,
  { options, fill = FILL_XFS, sizeMiB = 200 }: { options: string[]; fill?: string; sizeMiB?: number },
): Promise<string> {
  const file = folder.image(name);
  await makeImage(file, sizeMiB, [...(await newerTool('mkfs.xfs')), ...SMALL, ...options]);
  await onMountedImage(file, fill);
  // Mounted anew: what the kernel has taken in advance for copies of shared blocks is given back at the unmount.
  const kernel = parseKernelListing(await onMountedImage(file, LIST_TREE));

  await using device = await FileBlockDevice.open(file);
  const ours = await readerListing(await openXfs(device));

  expect(listingDifferences(kernel, ours)).toEqual([]);
  return file;
}

/** What xfs_db prints. */
async function xfsDb(file: string, ...commands: string[]): Promise<string> {
  const { stdout } = await run('xfs_db', ['-r', ...commands.flatMap((command) => ['-c', command]), file]);
  return stdout;
}

describe('openXfs reads what the kernel shows', () => {
  it.each([
    ['the defaults', []],
    ['blocks of 1 KiB', ['-b', 'size=1024', '-n', 'parent=1', '-i', 'nrext64=1']],
  ])('directories, attributes and extents of every form: %s', async (name, options) => {
    const file = await expectEqual(name, { options });
    const shown = async (path: string, ...commands: string[]): Promise<string> => {
      await using device = await FileBlockDevice.open(file);
      const { inode } = (await (await openXfs(device)).lstat(path))!;
      return xfsDb(file, `inode ${inode}`, ...commands);
    };
    // The volume must hold the forms that are to be read.
    expect(await shown('/comb', 'print core.format')).toContain('btree');
    expect(await shown('/scattered', 'print core.format')).toContain('btree');
    expect(await shown('/directory-3', 'print core.format')).toContain('local');
    expect(await shown('/directory-20', 'dblock 0', 'print bhdr.hdr.magic')).toContain('0x58444233');
    expect(await shown('/directory-400', 'dblock 0', 'print dhdr.hdr.magic')).toContain('0x58444433');
    expect(await shown('/attributes/count-1', 'print core.aformat')).toContain('local');
    expect(await shown('/attributes/value-1000', 'ablock 0', 'print hdr.info.hdr.magic')).toContain('0x3bee');
    expect(await shown('/attributes/count-3000', 'ablock 0', 'print hdr.info.hdr.magic')).toContain('0x3ebe');
    expect(await shown('/symlinks/1000', 'print core.format')).toContain('extents');
    await rm(file);
  });

  it('directory blocks in pieces, of several blocks each', async () => {
    const options = ['-b', 'size=1024', '-n', 'size=16384', '-m', 'rmapbt=1'];
    await rm(await expectEqual('pieces', { options, fill: `${FILL_XFS} 1 directories scattered_directory` }));
  });

  it('inode chunks with holes', async () => {
    const file = await expectEqual('sparse chunks', {
      options: [],
      sizeMiB: 64,
      fill: '"$PYTHON" "$SUPPORT/fill-xfs.py" "$MNT" 1 sparse_chunks',
    });
    const trees = await Promise.all(
      [0, 1, 2, 3].map((group) => xfsDb(file, `agi ${group}`, 'addr root', 'print recs').catch(() => '')),
    );
    expect(trees.join('\n')).toMatch(/holemask|,0x[0-9a-f]*[1-9a-f]/);
    await rm(file);
  });

  it('inode numbers beyond 32 bits, of a volume of 8 TiB', async () => {
    const file = await expectEqual('large', {
      options: ['-l', 'size=64m'],
      sizeMiB: 8 * 1024 * 1024,
      fill: `for n in 1 2 3 4 5 6 7 8 9; do mkdir "$MNT/$n"; echo $n > "$MNT/$n/file"; ln "$MNT/$n/file" "$MNT/$n/other"; done
        mkdir "$MNT/many"; for n in $(seq 200); do mkdir "$MNT/many/$n"; done`,
    });
    await using device = await FileBlockDevice.open(file);
    const filesystem = await openXfs(device);
    const inodes = [];
    for await (const { stat } of filesystem.scan()) inodes.push(stat.inode);
    expect(Math.max(...inodes)).toBeGreaterThan(2 ** 32);
    await rm(file);
  });

  it('ranges of a file of five terabytes that is nearly all hole', async () => {
    const file = folder.image('huge');
    await makeImage(file, 64, ['mkfs.xfs', ...SMALL]);
    await onMountedImage(file, `printf end | dd of="$MNT/huge" bs=1 seek=5000000000000 status=none`);

    await using device = await FileBlockDevice.open(file);
    const filesystem = await openXfs(device);

    expect((await filesystem.lstat('/huge'))?.sizeBytes).toBe(5_000_000_000_003);
    const tail = await filesystem.readFile('/huge', { offsetBytes: 4_999_999_999_999, lengthBytes: 100 });
    expect(Buffer.from(tail).toString('latin1')).toBe('\0end');
    await expect(filesystem.readFile('/huge')).rejects.toMatchObject({ name: 'FileTooLargeError' });
    await rm(file);
  });
});
