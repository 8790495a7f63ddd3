import { e2fsck, ImageFolder, makeImage, onMountedImage } from '../../../../support/mounted-image';
import { mkfsCommand } from '../../../../support/volume-matrix';
import { changeImage } from '../../../../support/writable-image';

jest.setTimeout(60_000);

let folder: ImageFolder;
beforeEach(async () => {
  folder = await ImageFolder.make();
});
afterEach(async () => folder[Symbol.asyncDispose]());

const FILES = 3000;
const SET_UP = `cd "$MNT"; mkdir many
  seq ${FILES} | while read n; do echo $n > many/$n; done
  ln -s many/1 link; mknod null c 1 3; setfattr -n user.note -v kept many/1; chown 7:8 many/1; chmod 4751 many/1
  touch -d @1600000000 many/* many; touch -h -d @1600000000 link; touch -d @1600000000 null
  chattr +i many/2; chattr +a many/3`;
const SHOW =
  'cd "$MNT"; stat -c "%n %a %u:%g %s %.9Y" many many/1 many/2 many/3 many/3000 link null; getfattr -n user.note --only-values many/1';

it.each([
  ['inodes of 256 bytes', [], '.123456789'],
  ['inodes of 128 bytes, which keep whole seconds', ['-I', '128'], '.000000000'],
])('sets times and nothing else, as the kernel shows: %s', async (_what, options, fraction) => {
  const file = folder.image('volume');
  await makeImage(file, 64, mkfsCommand(options));
  await onMountedImage(file, SET_UP);
  const mtimeNs = 1_700_000_000_123_456_789n;
  const paths = Array.from({ length: FILES }, (_, n) => `/many/${n + 1}`);
  const { changedBlocks } = await changeImage(file, async (filesystem) => {
    const times = ['/many', ...paths, '/link', '/null', '/missing', '/many/missing/x'].map((path) => ({
      path,
      mtimeNs,
    }));
    await filesystem.setModificationTimes(times);
  });
  // 3,000 inodes: inode tables and nothing else.
  expect(changedBlocks).toBeLessThanOrEqual(Math.ceil((FILES * 256) / 524_288) + 1);
  expect(await e2fsck(file)).toBe('');
  const set = `1700000000${fraction}`;
  expect((await onMountedImage(file, SHOW)).split('\n')).toEqual([
    expect.stringMatching(new RegExp(`^many 755 0:0 \\d+ ${set}$`)),
    `many/1 4751 7:8 2 ${set}`,
    'many/2 644 0:0 2 1600000000.000000000',
    'many/3 644 0:0 2 1600000000.000000000',
    `many/3000 644 0:0 5 ${set}`,
    `link 777 0:0 6 ${set}`,
    `null 644 0:0 0 ${set}`,
    'kept',
  ]);
  await onMountedImage(file, 'chattr -i "$MNT/many/2"; chattr -a "$MNT/many/3"');
});
