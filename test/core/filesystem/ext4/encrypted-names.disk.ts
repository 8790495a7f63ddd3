import { openExt4 } from '../../../../core/filesystem/ext4/open-ext4';
import { FileBlockDevice } from '../../../support/file-block-device';
import { ImageFolder, makeImage, onMountedImage } from '../../../support/mounted-image';

jest.setTimeout(60_000);

/** Path below the mount point, inode, type, size, target: what lstat(2) and readlink(2) say without the key. */
const LIST = `find "$MNT" -mindepth 1 -printf '%P\\t%i\\t%y\\t%s\\t%l\\n'`;
const LETTERS: Readonly<Record<string, string>> = { file: 'f', directory: 'd', symlink: 'l', fifo: 'p' };

it.each([
  ['as Debian 12 makes it', []],
  ['1 KiB blocks', ['-b', '1024']],
  ['without dir_index', ['-O', '^dir_index']],
  ['with inline data', ['-O', 'inline_data', '-I', '512']],
])(
  'encrypted names and links are shown as the kernel shows them without the key: %s',
  async (_what, options) => {
    await using folder = await ImageFolder.make();
    const file = folder.image('encrypted');
    await makeImage(file, 64, ['mkfs.ext4', '-q', '-F', '-O', 'encrypt', ...options]);
    await onMountedImage(file, '"$PYTHON" "$SUPPORT/fill-encrypted.py" "$MNT"');
    const kernel = (await onMountedImage(file, LIST)).split('\n').filter(Boolean).sort();

    await using device = await FileBlockDevice.open(file);
    const filesystem = await openExt4(device);
    const ours: string[] = [];
    let refused = 0;
    for await (const { path, stat } of filesystem.scan()) {
      if (path === '/') continue;
      expect(await filesystem.lstat(path)).toEqual(stat);
      const target = stat.type === 'symlink' ? await filesystem.readlink(path) : '';
      ours.push([path.slice(1), stat.inode, LETTERS[stat.type], stat.sizeBytes, target].join('\t'));
      if (stat.type !== 'file' || path === '/plain') continue;
      await expect(filesystem.readFile(path)).rejects.toMatchObject({ name: 'EncryptedFileError' });
      refused++;
    }

    expect(ours.sort()).toEqual(kernel);
    expect(refused).toBeGreaterThan(900);
    expect(Buffer.from(await filesystem.readFile('/plain')).toString()).toBe('in the clear');
    // The context of the encryption is the kernel's own.
    expect([...(await filesystem.xattrs('/few')).keys()]).toEqual([]);
  },
);
