import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { openExt4 } from '../../../../core/filesystem/ext4/open-ext4';
import { FileBlockDevice } from '../../../support/file-block-device';
import { e2fsck, ImageFolder, makeImage } from '../../../support/mounted-image';

jest.setTimeout(60_000);
const run = promisify(execFile);

/** Not every kernel is made with CONFIG_UNICODE: debugfs makes the directories, e2fsck judges their hashes. */
it('casefolded names are shown as they are stored, and found as they are shown', async () => {
  await using folder = await ImageFolder.make();
  const file = folder.image('casefold');
  await makeImage(file, 32, ['mkfs.ext4', '-q', '-F', '-b', '1024', '-O', 'casefold', '-E', 'encoding=utf8']);
  const content = join(folder.path, 'content');
  await writeFile(content, 'content');
  const names = Array.from({ length: 300 }, (_, n) => `Straße-${n % 2 === 0 ? 'ÀB' : 'cd'}-${n}`);
  const commands = join(folder.path, 'commands');
  const lines = [
    'mkdir /folded',
    // Extents and casefold, as mkdir(2) makes them below a directory with chattr +F.
    'sif /folded flags 0x40080000',
    ...names.map((name) => `write ${content} "/folded/${name}"`),
  ];
  await writeFile(commands, `${lines.join('\n')}\n`);
  await run('debugfs', ['-w', '-f', commands, file]);
  await run('e2fsck', ['-fyD', file]).catch(() => undefined);
  expect(await e2fsck(file)).toBe('');
  expect((await run('debugfs', ['-R', 'stat /folded', file])).stdout).toContain('Flags: 0x40081000');

  await using device = await FileBlockDevice.open(file);
  const filesystem = await openExt4(device);
  const found = (await filesystem.readdir('/folded')).map(({ name }) => name);
  expect(found.sort()).toEqual([...names].sort());
  const scanned: string[] = [];
  for await (const { path } of filesystem.scan()) scanned.push(path);
  expect(scanned).toEqual(expect.arrayContaining(names.map((name) => `/folded/${name}`)));
  expect(Buffer.from(await filesystem.readFile(`/folded/${names[7]}`)).toString()).toBe('content');
  expect(await filesystem.lstat(`/folded/${names[7]!.toUpperCase()}`)).toBeUndefined();
});
