import { execFile } from 'node:child_process';
import { truncate, writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { detectFilesystem } from '../../../core/partition/detect-filesystem';
import { FileBlockDevice } from '../../support/file-block-device';
import { ImageFolder } from '../../support/mounted-image';

const run = promisify(execFile);

/** With a key of few rounds: nobody has to guess it. */
const luks = (type: string): string[] => {
  const key = ['--pbkdf', 'pbkdf2', '--pbkdf-force-iterations', '1000', '--key-file', '/etc/hostname'];
  return ['cryptsetup', 'luksFormat', '-q', '--type', type, ...key];
};

let folder: ImageFolder;
beforeAll(async () => {
  folder = await ImageFolder.make();
});
afterAll(async () => folder[Symbol.asyncDispose]());

describe('detectFilesystem', () => {
  it.each([
    ['ext4', 'ext4', ['mkfs.ext4', '-q', '-F']],
    ['ext2', 'ext4', ['mkfs.ext2', '-q', '-F', '-b', '1024']],
    ['xfs', 'xfs', ['mkfs.xfs', '-q', '-f']],
    ['btrfs', 'btrfs', ['mkfs.btrfs', '-q']],
    ['FAT32 in long sectors', 'vfat', ['mkfs.vfat', '-F', '32', '-S', '4096', '-s', '1']],
    ['LUKS 1', 'luks', luks('luks1')],
    ['LUKS 2', 'luks', luks('luks2')],
    ['swap', 'swap', ['mkswap', '-q']],
    ['nothing', 'unknown', ['true']],
  ])('%s', async (name, expected, [command, ...args]) => {
    const file = folder.image(name);
    await writeFile(file, '');
    await truncate(file, 320 * 1024 * 1024);
    await run(command!, [...args, file]);

    await using device = await FileBlockDevice.open(file);
    expect(await detectFilesystem(device)).toBe(expected);
  });
});
