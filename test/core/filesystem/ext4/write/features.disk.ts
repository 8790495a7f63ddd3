import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { OverlayBlockDevice } from '../../../../../core/block-device/overlay-block-device';
import { openExt4Writable } from '../../../../../core/filesystem/ext4/write/open-ext4-writable';
import type { FilesystemWriter } from '../../../../../core/filesystem/filesystem';
import { FileBlockDevice } from '../../../../support/file-block-device';
import { e2fsck, ImageFolder, makeImage, onMountedImage } from '../../../../support/mounted-image';
import { mkfsCommand } from '../../../../support/volume-matrix';
import { changeImage, metadata } from '../../../../support/writable-image';

jest.setTimeout(120_000);
const run = promisify(execFile);

let folder: ImageFolder;
beforeEach(async () => {
  folder = await ImageFolder.make();
});
afterEach(async () => folder[Symbol.asyncDispose]());

async function newImage(options: readonly string[], sizeMiB = 48, setUp?: string): Promise<string> {
  const file = folder.image('volume');
  await makeImage(file, sizeMiB, mkfsCommand(options));
  if (setUp !== undefined) await onMountedImage(file, `cd "$MNT"; ${setUp}`);
  return file;
}

const shown = async (file: string, script: string): Promise<string> =>
  (await onMountedImage(file, `cd "$MNT"; ${script}`)).trim();

const shell = async (script: string): Promise<string> => (await run('sh', ['-c', script])).stdout.trim();

const debugfs = async (file: string, request: string, ...options: string[]): Promise<string> =>
  (await run('debugfs', [...options, '-R', request, file])).stdout;

const filled = (length: number, letter: string): Uint8Array => Buffer.alloc(length, letter);

describe('large_dir', () => {
  /** Names by the kernel, then by the writer. */
  const KERNEL = 20_000;
  const MADE = 2500;

  it('lets an index grow to three levels, by which the kernel finds every name and goes on', async () => {
    // Longest names: three to a block of 1 KiB, so that the two levels of others are soon full.
    const byKernel = `
      mkdir deep; "$PYTHON" - <<'PYTHON'
import os
for inode in range(2):
    os.close(os.open(f"deep/one-{inode}", os.O_CREAT))
for n in range(${KERNEL}):
    os.link(f"deep/one-0", "deep/" + str(n).ljust(255, "k"))
PYTHON`;
    const file = await newImage(['-b', '1024', '-O', 'large_dir'], 96);
    // How full its blocks become depends on the hashes, and they on the seed that mkfs makes up.
    await debugfs(file, 'ssv hash_seed 01234567-89ab-cdef-0123-456789abcdef', '-w');
    await shown(file, byKernel);
    const levels = async (): Promise<number> =>
      Number(
        (
          await shell(
            `debugfs -R 'htree_dump /deep' "${file}" 2>/dev/null | grep -m1 -o 'Indirect levels: .*'`,
          )
        ).slice(-1),
      );
    const before = await levels();
    await changeImage(file, async (filesystem) => {
      for (let n = 0; n < MADE; n += 1) {
        await filesystem.link('/deep/one-1', `/deep/${`${n}`.padEnd(255, 'o')}`);
      }
      for (let n = 0; n < MADE; n += 7) await filesystem.remove(`/deep/${`${n}`.padEnd(255, 'o')}`);
    });
    expect([before, await levels()]).toEqual([1, 2]);
    expect(await e2fsck(file)).toBe('');
    const goOn = `
"$PYTHON" - <<'PYTHON'
import os
expected = {str(n).ljust(255, "k") for n in range(${KERNEL})} | {str(n).ljust(255, "o") for n in range(${MADE}) if n % 7}
names = set(os.listdir("deep")) - {"one-0", "one-1"}
print(names == expected, all(os.path.exists("deep/" + name) for name in expected))
for n in range(0, ${MADE}, 7):
    os.link("deep/one-1", "deep/" + str(n).ljust(255, "o"))
PYTHON`;
    expect(await shown(file, goOn)).toBe('True True');
    expect(await e2fsck(file)).toBe('');
  });
});

describe('inline_data', () => {
  const SET_UP = `
    printf tiny > tiny; head -c 100 /dev/zero | tr '\\0' y > small; chmod 600 small
    mkdir few empty; printf a > few/a; printf b > few/b; mkdir few/sub; ln tiny few/again
    setfattr -n user.note -v kept small`;

  it('keeps what stands in an inode when its metadata change, and gives changed directories a block', async () => {
    const file = await newImage(['-O', 'inline_data'], 48, SET_UP);
    expect(await debugfs(file, 'stat /small')).toContain('0x10000000');
    await changeImage(file, async (filesystem) => {
      const note = new Map([['user.note', Buffer.from('changed')]]);
      await filesystem.setMetadata('/small', metadata({ mode: 0o640, uid: 7, xattrs: note }));
      await filesystem.setMetadata('/few/sub', metadata({ mode: 0o700 }));
      await filesystem.writeFile('/few/a', filled(70_000, 'A'), metadata());
      await filesystem.link('/tiny', '/few/third');
      await filesystem.remove('/few/b');
      await filesystem.remove('/empty');
      await filesystem.writeFile('/few/sub/inner', filled(3, 'i'), metadata());
      expect(Buffer.from(await filesystem.readFile('/tiny')).toString()).toBe('tiny');
    });
    expect(await e2fsck(file)).toBe('');
    expect(await debugfs(file, 'stat /small')).toContain('0x10000000');
    expect(await debugfs(file, 'stat /few')).not.toContain('0x10000000');
    const script = `cat tiny small few/again few/third few/sub/inner; echo; ls -A few . few/sub | sort | xargs
      getfattr --only-values -n user.note small; stat -c ' %a %u' small; stat -c '%h' few tiny; wc -c < few/a`;
    expect(await shown(file, script)).toBe(
      `tiny${'y'.repeat(100)}tinytinyiii\n.: a again few few/sub: few: inner lost+found small sub third tiny\n` +
        'changed 640 7\n3\n3\n70000'.replace('\n3\n', '\n3\n'),
    );
  });

  it('deletes inline files and directories as the kernel does', async () => {
    const file = await newImage(['-O', 'inline_data', '-I', '1024'], 48, SET_UP);
    await changeImage(file, async (filesystem) => {
      for (const path of [
        '/few/a',
        '/few/b',
        '/few/again',
        '/few/sub',
        '/few',
        '/tiny',
        '/small',
        '/empty',
      ]) {
        await filesystem.remove(path);
      }
    });
    expect(await e2fsck(file)).toBe('');
    expect(await shown(file, 'ls -A; echo new > new; cat new')).toBe('lost+found\nnew');
  });
});

describe('ea_inode', () => {
  const long = (length: number, letter: string): [string, Uint8Array] => [
    `user.${letter}`,
    filled(length, letter),
  ];

  it('keeps values of any length in inodes of their own, and gives them back', async () => {
    const file = await newImage(
      ['-O', 'ea_inode'],
      48,
      'printf x > x; setfattr -n user.k -v "$(printf %05000d 1)" x; ls -i x',
    );
    const freeInodes = async (): Promise<string> =>
      /Free inodes: +(\d+)/.exec((await run('dumpe2fs', ['-h', file])).stdout)![1]!;
    const before = await freeInodes();
    const several = new Map([long(65_536, 'a'), long(9000, 'b'), long(100, 'c'), long(3900, 'd')]);
    await changeImage(file, async (filesystem) => {
      await filesystem.writeFile('/f', filled(10, 'f'), metadata({ xattrs: several }));
      await filesystem.mkdir('/d', metadata({ xattrs: several }));
      await filesystem.symlink('/s', 'no', metadata({ xattrs: new Map([['trusted.t', filled(5000, 't')]]) }));
      await filesystem.symlink(
        '/l',
        't'.repeat(100),
        metadata({ xattrs: new Map([['trusted.t', filled(5000, 't')]]) }),
      );
      // One value stays, one changes, one goes.
      await filesystem.setMetadata(
        '/d',
        metadata({ xattrs: new Map([long(65_536, 'a'), ['user.b', filled(8000, 'B')]]) }),
      );
      expect(await filesystem.xattrs('/f')).toEqual(several);
      expect((await filesystem.xattrs('/x')).get('user.k')).toHaveLength(5000);
      await filesystem.setMetadata('/x', metadata({ xattrs: new Map([long(6000, 'n')]) }));
      await expect(
        filesystem.setMetadata('/x', metadata({ xattrs: new Map([long(65_537, 'z')]) })),
      ).rejects.toMatchObject({ name: 'XattrError' });
    });
    expect(await e2fsck(file)).toBe('');
    const lengths =
      'for n in a b c d; do getfattr --only-values -n user.$n f | wc -c; done; getfattr --only-values -n user.b d | tr -d B | wc -c; getfattr -h --only-values -n trusted.t l | wc -c; getfattr --only-values -n user.n x | wc -c';
    expect((await shown(file, lengths)).split('\n')).toEqual([
      '65536',
      '9000',
      '100',
      '3900',
      '0',
      '5000',
      '6000',
    ]);
    await changeImage(file, async (filesystem) => {
      for (const path of ['/f', '/d', '/l', '/s']) await filesystem.remove(path);
      await filesystem.setMetadata('/x', metadata());
    });
    expect(await e2fsck(file)).toBe('');
    expect(Number(await freeInodes())).toBe(Number(before) + 1);
  });

  it('counts values of a block that inodes share', async () => {
    const share = `for n in 1 2 3; do printf x > s$n; setfattr -n user.v -v "$(printf %03000d 7)" s$n; setfattr -n user.w -v "$(printf %02000d 7)" s$n; done; sync`;
    const file = await newImage(['-O', 'ea_inode'], 48, share);
    await changeImage(file, async (filesystem) => {
      const both = await filesystem.xattrs('/s1');
      expect([...both.values()].map(({ length }) => length).sort()).toEqual([2000, 3000]);
      await filesystem.setMetadata(
        '/s1',
        metadata({ xattrs: new Map([...both, ['user.more', filled(20, 'm')]]) }),
      );
      await filesystem.remove('/s2');
    });
    expect(await e2fsck(file)).toBe('');
    expect(
      await shown(
        file,
        'getfattr --only-values -n user.v s1 | wc -c; getfattr --only-values -n user.w s3 | wc -c',
      ),
    ).toBe('3000\n2000');
    await changeImage(file, async (filesystem) => {
      await filesystem.remove('/s1');
      await filesystem.writeFile('/s3', filled(1, 'x'), metadata());
    });
    expect(await e2fsck(file)).toBe('');
  });
});

describe('project', () => {
  it('is handed on by directories that say so; no link leads into another', async () => {
    // This kernel mounts no volume with the feature: e2fsprogs and the reader are the judges.
    const file = await newImage(['-O', 'project']);
    await changeImage(file, async (filesystem) => {
      await filesystem.mkdir('/p', metadata({ mode: 0o755 }));
      await filesystem.writeFile('/other', filled(4, 'o'), metadata());
    });
    const flags = 0x20080000;
    await debugfs(file, `sif /p flags ${flags}`, '-w');
    await debugfs(file, 'sif /p projid 42', '-w');
    await changeImage(file, async (filesystem) => {
      await filesystem.mkdir('/p/sub', metadata({ mode: 0o755 }));
      await filesystem.writeFile('/p/sub/file', filled(4, 'f'), metadata());
      await filesystem.writeFile('/outside', filled(4, 'f'), metadata());
      await filesystem.link('/p/sub/file', '/p/again');
      await expect(filesystem.link('/other', '/p/other')).rejects.toMatchObject({
        name: 'OtherProjectError',
      });
    });
    expect(await e2fsck(file)).toBe('');
    const projectOf = async (path: string): Promise<string | undefined> =>
      /Project: +(\d+)/.exec(await debugfs(file, `stat ${path}`))?.[1];
    expect(await Promise.all(['/p/sub', '/p/sub/file', '/outside'].map(projectOf))).toEqual([
      '42',
      '42',
      '0',
    ]);
    expect(await debugfs(file, 'stat /p/sub')).toContain('Flags: 0x20080000');
    expect(await debugfs(file, 'stat /p/sub/file')).toContain('Flags: 0x80000');
  });
});

describe('verity', () => {
  it('keeps sealed files as they are', async () => {
    const file = await newImage(['-O', 'verity'], 48, 'printf sealed > sealed; printf plain > plain');
    await debugfs(file, 'sif /sealed flags 0x180000', '-w');
    await using base = await FileBlockDevice.open(file);
    const filesystem = await openExt4Writable(new OverlayBlockDevice(base));
    const attempts: ((writer: FilesystemWriter) => Promise<void>)[] = [
      (writer) => writer.writeFile('/sealed', filled(1, 'x'), metadata()),
      (writer) => writer.remove('/sealed'),
      (writer) => writer.link('/sealed', '/again'),
      (writer) => writer.setMetadata('/sealed', metadata()),
    ];
    for (const attempt of attempts) {
      await expect(attempt(filesystem)).rejects.toMatchObject({ name: 'ImmutableFileError' });
    }
    expect(Buffer.from(await filesystem.readFile('/sealed')).toString()).toBe('sealed');
    await filesystem.writeFile('/plain', filled(3, 'p'), metadata());
  });
});
