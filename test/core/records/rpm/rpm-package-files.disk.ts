import { execFile } from 'node:child_process';
import { mkdir, readdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { openImage } from '../../../../core/image/open-image';
import { packageFiles, type PackageFiles } from '../../../../core/records/package-files';
import { buildRpms, type RpmPackage } from '../../../../local/fleet/rpm-repository';
import { FileBlockDevice } from '../../../support/file-block-device';
import { ImageFolder, makeImage } from '../../../support/mounted-image';

const run = promisify(execFile);

const STATE = '/var/lib/tool/state';
const COUNTER = '/var/lib/tool/counter';
const SHARED = { '/usr/share/shared/text': 'the same in both\n' };

const kernel = (version: string): RpmPackage => ({
  name: 'kernel-of-test',
  version,
  files: { [`/lib/modules/${version}/a.ko`]: version, ...SHARED },
});

const PACKAGES: readonly RpmPackage[] = [
  {
    name: 'tool',
    version: '1',
    files: {
      '/etc/os-release': 'ID=test\nVERSION_ID=1\n',
      '/usr/bin/tool': '#!/bin/sh\n',
      '/bin/merged': '#!/bin/sh\n',
      [STATE]: 'made when it runs\n',
      [COUNTER]: '0\n',
      ...SHARED,
    },
    configuration: { '/etc/tool.conf': 'a = 1\n', '/etc/tool.d/more.conf': 'b = 2\n' },
    attributes: { [STATE]: '%ghost', [COUNTER]: '%verify(not md5 size mtime)' },
  },
  kernel('6.9'),
  kernel('6.10'),
];

let folder: ImageFolder;
let root: string;
let files: PackageFiles;

beforeAll(async () => {
  folder = await ImageFolder.make();
  root = join(folder.path, 'root');
  await mkdir(join(root, 'usr/bin'), { recursive: true });
  await mkdir(join(root, 'usr/lib'));
  await symlink('usr/bin', join(root, 'bin'));
  await symlink('usr/lib', join(root, 'lib'));
  const built = join(folder.path, 'built');
  await buildRpms(PACKAGES, built);
  const packages = (await readdir(built)).sort().map((name) => join(built, name));
  await rpm('-i', '--nodeps', ...packages);
  // Without its package's own file: rpm leaves a %ghost to whoever makes it.
  await run('sh', ['-euc', 'echo state > "$1$2"; echo own > "$1/etc/own.conf"', 'sh', root, STATE]);
  await makeImage(folder.image('machine'), 16, ['mkfs.ext4', '-q', '-F', '-d', root]);
  await using device = await FileBlockDevice.open(folder.image('machine'));
  const volume = { volumeId: 'vol-1', deviceName: '/dev/xvda', isRoot: true, device };
  files = await packageFiles(await openImage([volume]));
}, 60_000);

afterAll(() => folder[Symbol.asyncDispose]());

async function rpm(...words: readonly string[]): Promise<string> {
  const system = ['--root', root, '--dbpath', '/usr/lib/sysimage/rpm'];
  return (await run('rpm', [...system, ...words])).stdout;
}

/** What rpm says of each file: its owners, none when it exits with 1. */
async function ownersByRpm(path: string): Promise<string[]> {
  try {
    const text = await rpm('-qf', '--qf', '%{name}.%{arch} %{version}-%{release}\\n', path);
    return text.trim().split('\n');
  } catch {
    return [];
  }
}

it('says of every file what `rpm -qf` says, but for those of which a package does not bring the content', async () => {
  const { stdout } = await run('find', [root, '-type', 'f', '-printf', '/%P\\n']);
  const paths = stdout
    .trim()
    .split('\n')
    .filter((path) => !path.includes('/sysimage/'));
  expect(paths.length).toBeGreaterThan(8);
  const found = paths.map((path) => [path, `${files.ownerOf(path)} ${files.versionOf(path)}`] as const);
  const others: string[] = [];
  for (const [path, owner] of found) if (!(await ownersByRpm(path)).includes(owner)) others.push(path);
  expect(others.sort()).toEqual(['/etc/own.conf', COUNTER, STATE]);
  expect(others.map((path) => files.ownerOf(path))).toEqual([undefined, undefined, undefined]);
  expect(await ownersByRpm('/etc/own.conf')).toEqual([]);
}, 60_000);

it('takes for settings what `rpm -qc` does', async () => {
  const settings = (await rpm('-qac')).trim().split('\n');
  expect(settings).toHaveLength(2);
  expect(settings.filter((path) => !files.isConfiguration(path))).toEqual([]);
  const listed = (await rpm('-qal')).trim().split('\n');
  expect(listed.filter((path) => files.isConfiguration(path)).sort()).toEqual(settings.sort());
});
