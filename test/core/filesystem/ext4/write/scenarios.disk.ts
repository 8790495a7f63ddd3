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

async function newImage(options: readonly string[] = [], sizeMiB = 48, setUp?: string): Promise<string> {
  const file = folder.image('volume');
  await makeImage(file, sizeMiB, mkfsCommand(options));
  if (setUp !== undefined) {
    await onMountedImage(file, setUp);
  }
  return file;
}

/** Runs shell commands on the mounted image; they see what the kernel sees. */
const shown = async (file: string, script: string): Promise<string> =>
  (await onMountedImage(file, `cd "$MNT"; ${script}`)).trim();

describe('directories', () => {
  it.each([
    ['half_md4', 'signed', []],
    ['half_md4', 'unsigned', ['-b', '1024']],
    ['tea', 'signed', ['-b', '1024']],
    ['tea', 'unsigned', []],
    ['legacy', 'signed', []],
    ['legacy', 'unsigned', []],
  ])(
    'keep an index of %s hashes over %s characters, by which the kernel finds every name',
    async (hash, sign, options) => {
      const file = await newImage(['-N', '8000', ...options]);
      await run('tune2fs', ['-E', `hash_alg=${hash}`, file]);
      await run('debugfs', ['-w', '-R', `ssv flags ${sign === 'signed' ? 1 : 2}`, file]);
      const names = Array.from({ length: 1250 }, (_, n) => `${n}-é-${'name'.repeat(n % 40)}`);
      await changeImage(file, async (filesystem) => {
        await filesystem.mkdir('/crowd', metadata({ mode: 0o755 }));
        for (const name of names) {
          await filesystem.symlink(`/crowd/${name}`, name, metadata({ mode: 0o777 }));
        }
        for (const name of names.slice(0, 250)) {
          await filesystem.remove(`/crowd/${name}`);
        }
      });
      expect(await e2fsck(file)).toBe('');
      const kept = names.slice(250).sort();
      const found = await shown(file, 'cd crowd; find . -type l -printf "%f\\n" | xargs -d "\\n" readlink');
      expect(found.split('\n').sort()).toEqual(kept);
      expect(await shown(file, 'lsattr -d crowd | cut -d" " -f1')).toContain('I');
    },
  );

  it('keep two levels of index, and say when both are full', async () => {
    // Longest names: an entry takes a quarter of a block, so that the index grows fast. The kernel, which is faster, begins.
    const byKernel = 18_000;
    const name = (n: number): string => `${n}`.padEnd(255, 'x');
    const begin = `mkdir "$MNT/deep"; "$PYTHON" -c '
import os, sys
os.chdir(sys.argv[1])
os.close(os.open("one", os.O_CREAT))
for n in range(${byKernel}):
    os.link("one", str(n).ljust(255, "x"))' "$MNT/deep"`;
    const file = await newImage(['-b', '1024', '-N', '60000'], 64, begin);
    const { result } = await changeImage(file, async (filesystem) => {
      for (let made = byKernel; made < 60_000; made += 1) {
        try {
          await filesystem.link('/deep/one', `/deep/${name(made)}`);
        } catch (error) {
          return { made, error: error as Error };
        }
      }
      return { made: 0, error: undefined };
    });
    expect(result.error?.name).toBe('NoSpaceError');
    expect(result.made).toBeGreaterThan(byKernel);
    expect(await e2fsck(file)).toBe('');
    const find = [17, byKernel, result.made - 1].map((n) => `test -e deep/${name(n)} && echo found`);
    expect(await shown(file, ['ls deep | wc -l', ...find].join('; '))).toBe(
      `${result.made + 1}\nfound\nfound\nfound`,
    );
  });

  it('of one block without dir_index stay linear', async () => {
    const file = await newImage(['-O', '^dir_index']);
    await changeImage(file, async (filesystem) => {
      for (let n = 0; n < 300; n += 1) {
        await filesystem.writeFile(`/${'n'.repeat(100)}-${n}`, new Uint8Array(), metadata());
      }
    });
    expect(await e2fsck(file)).toBe('');
    expect(await shown(file, 'ls | wc -l')).toBe('301');
  });

  it('take no more subdirectories than can be counted, unless dir_nlink says that they need not be', async () => {
    const crowded = 'mkdir one; mkdir many; seq -f "many/%04g-$(printf %060d 0)" 200 | xargs mkdir';
    const file = await newImage([], 48, `cd "$MNT"; ${crowded}`);
    for (const directory of ['one', 'many']) {
      await run('debugfs', ['-w', '-R', `sif /${directory} links_count 65000`, file]);
    }
    await using base = await FileBlockDevice.open(file);
    const filesystem = await openExt4Writable(new OverlayBlockDevice(base));
    const directory = metadata({ mode: 0o755 });
    // Without an index a directory has too few blocks for that many: the kernel refuses as well.
    await expect(filesystem.mkdir('/one/more', directory)).rejects.toMatchObject({
      name: 'TooManyLinksError',
    });
    await filesystem.mkdir('/many/more', directory);
    expect(await filesystem.lstat('/many')).toMatchObject({ links: 1 });
    await filesystem.remove('/many/more');
    expect(await filesystem.lstat('/many')).toMatchObject({ links: 1 });
  });
});

describe('files', () => {
  it('whose free space is in pieces get extent trees of two levels', async () => {
    const fragment = `
      cd "$MNT"; mkdir pieces; "$PYTHON" -c '
import os
n = 0
try:
    while True:
        fd = os.open(f"pieces/{n}", os.O_CREAT | os.O_WRONLY | os.O_SYNC)
        os.write(fd, b"x" * 1024)
        os.close(fd)
        n += 1
except OSError:
    for k in range(0, n, 2):
        os.unlink(f"pieces/{k}")'`;
    const file = await newImage(['-b', '1024', '-N', '9000', '-m', '0', '-J', 'size=1'], 10, fragment);
    const content = Buffer.alloc(3_000_000, 'tree');
    await changeImage(file, (filesystem) => filesystem.writeFile('/large', content, metadata()));
    expect(await e2fsck(file)).toBe('');
    expect(await shown(file, 'sha256sum < large')).toContain(
      (await run('sh', ['-c', `yes tree | tr -d '\\n' | head -c 3000000 | sha256sum`])).stdout.trim(),
    );
    const { stdout } = await run('debugfs', ['-R', 'extents /large', file]);
    expect(stdout).toMatch(/ 0\/ 2/);
    await changeImage(file, (filesystem) => filesystem.remove('/large'));
    expect(await e2fsck(file)).toBe('');
  });

  it('are placed in one run where there is one', async () => {
    const file = await newImage([], 256);
    await changeImage(file, async (filesystem) => {
      for (let n = 0; n < 20; n += 1) {
        await filesystem.writeFile(`/${n}`, Buffer.alloc(n * 700_000 + 5000, n), metadata());
      }
    });
    const extents = await shown(file, 'for n in $(seq 0 19); do filefrag $n | grep -o "[0-9]* extent"; done');
    // Only what crosses the structures at the start of a group may be in two.
    expect(extents.split('\n').filter((line) => line !== '1 extent').length).toBeLessThanOrEqual(1);
    expect(await e2fsck(file)).toBe('');
  });

  it('leave nothing behind when the disk is full', async () => {
    const file = await newImage(['-N', '64'], 8);
    const attempt = async (
      filesystem: FilesystemWriter,
      overlay: OverlayBlockDevice,
      path: string,
      bytes: number,
    ): Promise<string> => {
      const before = await bytesOf(overlay);
      try {
        await filesystem.writeFile(path, Buffer.alloc(bytes, 1), metadata());
        return 'written';
      } catch (error) {
        expect(Buffer.compare(await bytesOf(overlay), before)).toBe(0);
        return (error as Error).name;
      }
    };
    await changeImage(file, async (filesystem, overlay) => {
      await filesystem.writeFile('/kept', Buffer.alloc(100_000, 7), metadata());
      expect(await attempt(filesystem, overlay, '/kept', 20_000_000)).toBe('NoSpaceError');
      const outcomes: string[] = [];
      for (let n = 0; n < 70; n += 1) {
        outcomes.push(await attempt(filesystem, overlay, `/small-${n}`, 0));
      }
      expect(new Set(outcomes.slice(0, 40))).toEqual(new Set(['written']));
      expect(outcomes.at(-1)).toBe('NoSpaceError');
      let size = 4_000_000;
      while (size > 1000) {
        const outcome = await attempt(filesystem, overlay, '/kept', size);
        size = outcome === 'written' ? size - 1 : size >> 1;
        if (outcome === 'written') {
          break;
        }
      }
      expect(size).toBeGreaterThan(1000);
    });
    expect(await e2fsck(file)).toBe('');
  });

  it.each([
    ['256', [], '-2147483648 15032385535 1700000000'],
    ['128', ['-I', '128'], '-2147483648 2147483647 1700000000'],
  ])('with inodes of %s bytes keep the nearest time that fits', async (_size, options, expected) => {
    const file = await newImage(options);
    await changeImage(file, async (filesystem) => {
      for (const [name, mtimeNs] of [
        ['early', -(10n ** 20n)],
        ['late', 10n ** 20n],
        ['now', 1_700_000_000_000_000_000n],
      ] as const) {
        await filesystem.writeFile(`/${name}`, new Uint8Array(), metadata({ mtimeNs }));
      }
    });
    expect(await e2fsck(file)).toBe('');
    expect((await shown(file, 'stat -c %Y early late now')).split('\n').join(' ')).toBe(expected);
  });

  it('of an 8 GiB volume that was never used far out are written and read', async () => {
    const file = await newImage([], 8192);
    const { changedBlocks } = await changeImage(file, async (filesystem) => {
      await filesystem.mkdir('/d', metadata({ mode: 0o755 }));
      await filesystem.writeFile('/d/f', Buffer.alloc(1_000_000, 'y'), metadata());
    });
    expect(await e2fsck(file)).toBe('');
    expect(await shown(file, 'tr -d y < d/f | wc -c; stat -c %s d/f')).toBe('0\n1000000');
    // Two of data, the bitmaps, the inode table and the directory, the superblock with the descriptors.
    expect(changedBlocks).toBeLessThanOrEqual(6);
  });
});

describe('attributes', () => {
  const acl = Buffer.from(
    '0200000001000600ffffffff02000500e803000004000400ffffffff10000700ffffffff20000400ffffffff',
    'hex',
  );

  it('come out of the kernel as they went in: labels, capabilities, ACLs, values in inode and block', async () => {
    const file = await newImage();
    const xattrs = new Map<string, Uint8Array>([
      ['security.selinux', Buffer.from('system_u:object_r:bin_t:s0\0')],
      ['security.capability', Buffer.from('0100000200040000000000000000000000000000', 'hex')],
      ['system.posix_acl_access', acl],
      ['user.large', Buffer.alloc(2500, 'v')],
      ['user.empty', new Uint8Array()],
      ['trusted.t', Buffer.from([0, 1, 2, 255])],
    ]);
    await changeImage(file, async (filesystem) => {
      await filesystem.writeFile('/f', Buffer.from('x'), metadata({ mode: 0o674, xattrs }));
      await filesystem.writeFile('/bare', Buffer.from('x'), metadata({ xattrs }));
      await filesystem.setMetadata('/bare', metadata());
    });
    expect(await e2fsck(file)).toBe('');
    const read = `"$PYTHON" -c 'import os
for f in ("f", "bare"):
  for n in sorted(os.listxattr(f)): print(f, n, os.getxattr(f, n).hex())'`;
    const expected = [...xattrs].map(([name, value]) => `f ${name} ${Buffer.from(value).toString('hex')}`);
    expect((await shown(file, read)).split('\n').map((line) => line.trim())).toEqual(
      expected.map((line) => line.trim()).sort(),
    );
  });

  it('too large for inode and block are refused, and so are names that ext4 does not keep', async () => {
    const file = await newImage();
    await changeImage(file, async (filesystem) => {
      for (const [name, size] of [
        ['user.huge', 4096],
        ['system.data', 4],
        ['other.name', 4],
        [`user.${'n'.repeat(256)}`, 1],
      ] as const) {
        const xattrs = new Map([[name, Buffer.alloc(size)]]);
        const attempt = filesystem.writeFile('/f', new Uint8Array(), metadata({ xattrs }));
        await expect(attempt).rejects.toMatchObject({ name: 'XattrError' });
      }
      expect(await filesystem.lstat('/f')).toBeUndefined();
    });
  });

  it('that are a malformed ACL are refused', async () => {
    const file = await newImage();
    const xattrs = new Map([['system.posix_acl_access', Buffer.from('nonsense')]]);
    await changeImage(file, async (filesystem) => {
      const attempt = filesystem.writeFile('/f', new Uint8Array(), metadata({ xattrs }));
      await expect(attempt).rejects.toMatchObject({ name: 'XattrError' });
    });
  });

  it('in a block that several inodes share are copied on write', async () => {
    const share = `cd "$MNT"; for n in 1 2 3 4; do echo $n > $n; "$PYTHON" -c '
import os, sys; os.setxattr(sys.argv[1], "user.shared", b"s" * 600)' $n; done; sync`;
    const file = await newImage(['-I', '128'], 48, share);
    const { stdout } = await run('debugfs', ['-R', 'stat /1', file]);
    const block = /File ACL: (\d+)/.exec(stdout)?.[1];
    expect((await run('debugfs', ['-R', 'stat /4', file])).stdout).toContain(`File ACL: ${block}`);
    const shared = new Map([['user.shared', Buffer.alloc(600, 's')]]);
    await changeImage(file, async (filesystem) => {
      await filesystem.setMetadata(
        '/1',
        metadata({ xattrs: new Map([['user.shared', Buffer.from('own')]]) }),
      );
      await filesystem.writeFile('/2', Buffer.from('new content'), metadata({ xattrs: shared }));
      await filesystem.remove('/3');
    });
    expect(await e2fsck(file)).toBe('');
    const read = `"$PYTHON" -c 'import os
for f in "124": print(f, os.getxattr(f, "user.shared")[:4])'`;
    expect(await shown(file, read)).toBe("1 b'own'\n2 b'ssss'\n4 b'ssss'");
  });
});

describe('protection', () => {
  it('of immutable and append-only files and directories holds, and nothing is half done', async () => {
    const setUp = `cd "$MNT"; echo a > fixed; echo a > log; mkdir dir logs; echo a > dir/in; echo a > logs/in
      chattr +i fixed dir; chattr +a log logs`;
    const file = await newImage([], 48, setUp);
    await changeImage(file, async (filesystem, overlay) => {
      const before = overlay.dirtyBlocks();
      const attempts: [string, () => Promise<void>][] = [
        ['write immutable', () => filesystem.writeFile('/fixed', Buffer.from('b'), metadata())],
        ['remove immutable', () => filesystem.remove('/fixed')],
        ['link immutable', () => filesystem.link('/fixed', '/again')],
        ['touch immutable', () => filesystem.setMetadata('/fixed', metadata())],
        ['replace append-only', () => filesystem.writeFile('/log', Buffer.from('b'), metadata())],
        ['add to immutable', () => filesystem.writeFile('/dir/new', Buffer.from('b'), metadata())],
        ['replace in immutable', () => filesystem.writeFile('/dir/in', Buffer.from('b'), metadata())],
        ['remove from append-only', () => filesystem.remove('/logs/in')],
      ];
      for (const [what, attempt] of attempts) {
        const outcome = await attempt().then(
          () => 'done',
          (error: Error) => error.name,
        );
        expect([what, outcome]).toEqual([what, 'ImmutableFileError']);
      }
      expect(overlay.dirtyBlocks()).toEqual(before);
      await filesystem.writeFile('/logs/new', Buffer.from('b'), metadata());
    });
    expect(await e2fsck(file)).toBe('');
    await onMountedImage(file, 'chattr -R -i -a "$MNT" 2>/dev/null || true');
  });

  it('and other flags go from a directory to what is made in it, as in the kernel', async () => {
    const file = await newImage([], 48, 'mkdir "$MNT/flagged"; chattr +dADS "$MNT/flagged"');
    await changeImage(file, async (filesystem) => {
      await filesystem.writeFile('/flagged/ours', new Uint8Array(), metadata());
      await filesystem.mkdir('/flagged/our-directory', metadata({ mode: 0o755 }));
    });
    const flags = 'touch flagged/theirs; mkdir flagged/their-directory; lsattr flagged | cut -d" " -f1,2';
    const byName = new Map(
      (await shown(file, flags)).split('\n').map((line) => line.split(' ').reverse() as [string, string]),
    );
    expect(byName.get('flagged/ours')).toBe(byName.get('flagged/theirs'));
    expect(byName.get('flagged/our-directory')).toBe(byName.get('flagged/their-directory'));
    expect(byName.get('flagged/ours')).toContain('A');
    expect(await e2fsck(file)).toBe('');
  });

  it('refuses paths that are not normalised, and the root where it makes no sense', async () => {
    const file = await newImage();
    await changeImage(file, async (filesystem) => {
      for (const path of ['relative', '/a/../b', '/a//b', '/.', '/a/', `/${'n'.repeat(256)}`, '/a\0b', '/']) {
        await expect(filesystem.writeFile(path, new Uint8Array(), metadata())).rejects.toMatchObject({
          name: 'InvalidPathError',
        });
      }
      await filesystem.setMetadata('/', metadata({ mode: 0o700 }));
      await filesystem.mkdir('/', metadata({ mode: 0o711 }));
    });
    expect(await shown(file, 'stat -c %a .')).toBe('711');
  });
});

/** All changed bytes, in order. */
async function bytesOf(overlay: OverlayBlockDevice): Promise<Buffer> {
  const blocks: Uint8Array[] = [];
  for await (const { bytes } of overlay.changedBlocks()) {
    blocks.push(bytes);
  }
  return Buffer.concat(blocks);
}
