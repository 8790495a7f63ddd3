import { packageFiles, type PackageFiles } from '../../../../core/records/package-files';
import { TAG } from '../../../../core/records/rpm/rpm-header';
import { putRpmdb } from '../../../support/made-up-rpmdb';
import { MemoryFilesystem } from '../../../support/memory-filesystem';
import { MemoryImage } from '../../../support/memory-image';
import { type MadeUpRpm, madeUpRpm } from '../../../support/rpm-header-builder';

const plain = { mode: 0o777, uid: 0, gid: 0, mtimeNs: 1n, xattrs: new Map<string, Uint8Array>() };

async function filesOf(
  packages: readonly (MadeUpRpm | Uint8Array)[],
  links: Readonly<Record<string, string>> = {},
): Promise<PackageFiles> {
  const filesystem = new MemoryFilesystem();
  await putRpmdb(filesystem, packages);
  for (const [path, target] of Object.entries(links)) {
    await filesystem.makeParents(path);
    await filesystem.symlink(path, target, plain);
  }
  const os = { packageSystem: 'rpm', architecture: 'x86_64' } as const;
  return packageFiles(new MemoryImage(filesystem, { os }));
}

const owners = (files: PackageFiles, ...paths: readonly string[]): (string | undefined)[] =>
  paths.map((path) => files.ownerOf(path));

it('knows whose each file is, and which are settings', async () => {
  const files = await filesOf([
    { name: 'tool', arch: 'x86_64', files: ['/usr/bin/tool', '/etc/tool.conf'], config: ['/etc/tool.conf'] },
    { name: 'data.set', files: ['/usr/share/data/ä'] },
    { name: 'none' },
  ]);
  expect(owners(files, '/usr/bin/tool', '/etc/tool.conf', '/usr/share/data/ä', '/usr/bin/other')).toEqual([
    'tool.x86_64',
    'tool.x86_64',
    'data.set.noarch',
    undefined,
  ]);
  expect(files.isConfiguration('/etc/tool.conf')).toBe(true);
  expect(files.isConfiguration('/usr/bin/tool')).toBe(false);
  expect(files.versionOf('/usr/bin/tool')).toBe('1-1');
});

it.each(['ghost', 'unverified', 'notInstalled'] as const)(
  'lets a file count by its content of which the package does not say what it holds: %s',
  async (kind) => {
    const paths = ['/var/lib/tool/state', '/var/lib/tool/other'];
    const files = await filesOf([{ name: 'tool', files: paths, [kind]: paths.slice(0, 1) }]);
    expect(owners(files, ...paths)).toEqual([undefined, 'tool.noarch']);
  },
);

it('prefers of packages that share a file one of the architecture of the machine', async () => {
  const [file, other] = ['/etc/lib.conf', '/usr/lib/lib.so'];
  const lib = (arch: string, more: string[]): MadeUpRpm => ({ name: 'lib', arch, files: [file, ...more] });
  const native = lib('x86_64', []);
  const foreign = { ...lib('i686', [other]), config: [file] };
  for (const packages of [
    [native, foreign],
    [foreign, native],
  ]) {
    const files = await filesOf(packages);
    expect(owners(files, file, other)).toEqual(['lib.x86_64', 'lib.i686']);
    expect(files.isConfiguration(file)).toBe(true);
  }
});

it('tells versions apart that are installed beside each other', async () => {
  const kernel = (version: string): MadeUpRpm => ({
    name: 'kernel',
    version,
    files: [`/lib/modules/${version}/a.ko`, '/lib/modules/shared'],
  });
  const files = await filesOf([kernel('6.10'), kernel('6.9')]);
  const paths = ['/lib/modules/6.9/a.ko', '/lib/modules/6.10/a.ko', '/lib/modules/shared'];
  expect(owners(files, ...paths)).toEqual(Array(3).fill('kernel.noarch'));
  expect(paths.map((path) => files.versionOf(path))).toEqual(['6.9-1', '6.10-1', '6.10-1']);
});

it('finds files where the links of a merged system lead', async () => {
  const links = { '/bin': 'usr/bin', '/sbin': 'usr/sbin', '/usr/sbin': 'bin', '/lib': '/usr/lib' };
  const files = await filesOf(
    [{ name: 'tool', files: ['/bin/a', '/sbin/b', '/usr/sbin/c', '/lib/d'] }],
    links,
  );
  expect(owners(files, '/usr/bin/a', '/usr/bin/b', '/usr/bin/c', '/usr/lib/d', '/bin/a')).toEqual([
    ...Array<string>(4).fill('tool.noarch'),
    undefined,
  ]);
});

it('ends where links of merged directories lead to each other', async () => {
  const files = await filesOf([{ name: 'tool', files: ['/bin/a', '/etc/a'] }], {
    '/bin': 'sbin',
    '/sbin': 'bin',
  });
  expect(files.ownerOf('/etc/a')).toBe('tool.noarch');
});

it('reads packages from before rpm 4, which have whole paths, and none of what came later', async () => {
  const more = new Map<number, readonly string[]>([[TAG.oldFileNames, ['/usr/bin/old', '/etc/old.conf']]]);
  const files = await filesOf([{ name: 'old', more }]);
  expect(owners(files, '/usr/bin/old', '/etc/old.conf')).toEqual(['old.noarch', 'old.noarch']);
});

const tool: MadeUpRpm = { name: 'tool', files: ['/usr/bin/tool'] };

/** A header in which the entry of a tag has another type, place or count. */
function damaged(tag: number, change: (entry: Buffer) => void): Uint8Array {
  const bytes = Buffer.from(madeUpRpm(tool).header);
  for (let at = 8; at < 8 + bytes.readUInt32BE(0) * 16; at += 16)
    if (bytes.readUInt32BE(at) === tag) change(bytes.subarray(at, at + 16));
  return new Uint8Array(bytes);
}

const LONG = 'x'.repeat(4000);

it.each<[string, MadeUpRpm | Uint8Array]>([
  ['a directory that is not there', { ...tool, more: new Map([[TAG.directoryIndexes, [7]]]) }],
  ['a directory before the first', { ...tool, more: new Map([[TAG.directoryIndexes, [0xffffffff]]]) }],
  ['more files than directories', { ...tool, more: new Map([[TAG.baseNames, ['a', 'b']]]) }],
  ['a path longer than there are', { ...tool, more: new Map([[TAG.baseNames, [LONG + LONG]]]) }],
  [
    'few bytes that name endless paths',
    {
      ...tool,
      more: new Map<number, readonly string[] | readonly number[]>([
        [TAG.directoryNames, [`/${LONG}/`]],
        [TAG.baseNames, Array<string>(20_000).fill('')],
        [TAG.directoryIndexes, Array<number>(20_000).fill(0)],
      ]),
    },
  ],
  ['more names than bytes', damaged(TAG.baseNames, (entry) => entry.writeUInt32BE(0xffffffff, 12))],
  ['names behind the end', damaged(TAG.baseNames, (entry) => entry.writeUInt32BE(0x7fffffff, 8))],
  ['flags that are texts', damaged(TAG.fileFlags, (entry) => entry.writeUInt32BE(8, 4))],
  ['more flags than bytes', damaged(TAG.fileFlags, (entry) => entry.writeUInt32BE(0xffffffff, 12))],
  ['states that are numbers', damaged(TAG.fileStates, (entry) => entry.writeUInt32BE(4, 4))],
  ['more states than bytes', damaged(TAG.fileStates, (entry) => entry.writeUInt32BE(0xffffffff, 12))],
])('knows no file when a header has %s', async (_what, hostile) => {
  const good: MadeUpRpm = { name: 'good', files: ['/usr/bin/good'] };
  expect(owners(await filesOf([good]), '/usr/bin/good')).toEqual(['good.noarch']);
  expect(owners(await filesOf([good, hostile]), '/usr/bin/good', '/usr/bin/tool')).toEqual([
    undefined,
    undefined,
  ]);
});
