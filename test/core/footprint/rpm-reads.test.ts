import { TAG } from '../../../core/records/rpm/rpm-header';
import { codecFor } from '../../../core/records/registry';
import { matchImage } from '../../../core/match/match-image';
import type { Manifest } from '../../../core/manifest/manifest-schema';
import { putRpmdb } from '../../support/made-up-rpmdb';
import { MemoryFilesystem } from '../../support/memory-filesystem';
import { MemoryImage } from '../../support/memory-image';
import { captureUpdate } from '../../support/pipeline';
import { recordingOf } from '../../support/recordings';
import type { MadeUpRpm } from '../../support/rpm-header-builder';
import { RPMDB } from '../../support/rpm-machines';

const ELF = '\x7fELF program';
const TIME = 1_600_000_000_000_000_000n;

const app = (version: string): MadeUpRpm => ({
  name: 'app',
  version,
  files: ['/usr/bin/app', '/usr/share/app/data', '/usr/share/app/help', '/etc/app.conf'],
  config: ['/etc/app.conf'],
  scripts: new Map([[TAG.postInstall, 'test -e /etc/app.flag || exit 0']]),
});
const kernel = (version: string): MadeUpRpm => ({
  name: 'kernel',
  version,
  files: [`/lib/modules/${version}/install.sh`],
});
const tool = (version: string): MadeUpRpm => ({
  name: 'tool',
  version,
  files: [
    '/usr/bin/tool',
    '/usr/lib64/libtool.so',
    '/usr/libexec/tool.py',
    '/etc/tool.conf',
    '/var/lib/tool/state',
  ],
  config: ['/etc/tool.conf'],
  ghost: ['/var/lib/tool/state'],
});
/** Its triggers run with every package that puts something into /usr/bin. */
const watch = (version: string): MadeUpRpm => ({
  name: 'watch',
  version,
  fileTriggers: ['/usr/bin'],
  scripts: new Map([[TAG.fileTriggerScripts, 'test -e /etc/watch.flag && exit 0']]),
});

const INSTALLED = [app('1'), kernel('6.9'), tool('2'), watch('3'), { name: 'other' }];

async function put(filesystem: MemoryFilesystem, files: Readonly<Record<string, string>>): Promise<void> {
  for (const [path, content] of Object.entries(files)) {
    await filesystem.makeParents(path);
    const metadata = { mode: 0o755, uid: 0, gid: 0, mtimeNs: TIME, xattrs: new Map<string, Uint8Array>() };
    await filesystem.writeFile(path, new TextEncoder().encode(content), metadata);
  }
}

async function machine(packages: readonly MadeUpRpm[] = INSTALLED): Promise<MemoryFilesystem> {
  const filesystem = new MemoryFilesystem();
  await putRpmdb(filesystem, packages);
  await put(filesystem, {
    '/etc/passwd': 'root:x:0:0:root:/root:/bin/sh\n',
    '/etc/app.conf': 'level = 1\n',
    '/etc/tool.conf': 'on\n',
    '/lib/modules/6.9/install.sh': '#!/bin/sh\n',
    '/usr/bin/app': 'version 1',
    '/usr/share/app/data': 'data 1',
    '/usr/share/app/help': 'the same in both versions',
    '/usr/bin/tool': ELF,
    '/usr/lib64/libtool.so': ELF,
    '/usr/libexec/tool.py': 'import tool\n',
    '/var/lib/tool/state': 'state\n',
  });
  return filesystem;
}

const image = (filesystem: MemoryFilesystem): MemoryImage =>
  new MemoryImage(filesystem, { os: { packageSystem: 'rpm', architecture: 'x86_64' } });

const recording = recordingOf({
  read: [
    ...['/etc/app.conf', '/etc/tool.conf', '/usr/share/app/help', '/usr/lib64/libtool.so'],
    ...['/usr/libexec/tool.py', '/var/lib/tool/state', '/lib/modules/6.9/install.sh', RPMDB],
  ],
  executed: ['/usr/bin/tool'],
  written: ['/usr/bin/app', '/usr/share/app/data', '/lib/modules/6.10/install.sh', RPMDB],
});

let manifest: Manifest;

beforeAll(async () => {
  const after = await machine([app('1.1'), kernel('6.10'), ...INSTALLED.slice(1)]);
  await put(after, {
    '/usr/bin/app': 'version 1.1',
    '/usr/share/app/data': 'data 1.1',
    '/lib/modules/6.10/install.sh': '#!/bin/sh\n# newer\n',
  });
  const captured = await captureUpdate(image(await machine()), image(after), {
    codecFor,
    recording,
    update: { name: 'app', kind: 'packages', select: ['app', 'kernel'] },
  });
  ({ manifest } = captured);
});

it('asks for files of packages by the records of these', () => {
  const asked = manifest.reads!.map(({ kind, path, record = '' }) => `${kind} ${path} ${record}`.trim());
  expect(asked.sort().filter((one) => !/\/usr\/local|ld\.so\.preload/.test(one))).toEqual([
    'entry /etc/tool.conf',
    'entry /lib/modules/6.9/install.sh',
    'entry /usr/libexec/tool.py',
    'entry /var/lib/tool/state',
    'package /usr/lib/sysimage/rpm/rpmdb.sqlite tool.noarch',
    'record /usr/lib/sysimage/rpm/rpmdb.sqlite watch.noarch',
    'type /etc/app.flag',
    'type /etc/watch.flag',
  ]);
  expect(manifest.packageRelations).toBeUndefined();
});

it('marks what rpm replaces without a look at it', () => {
  const marked = manifest.operations.filter((one) => 'overwrites' in one).map(({ path }) => path);
  expect(marked).toEqual(['/usr/bin/app', '/usr/share/app/data']);
});

async function differences(
  change: (member: MemoryFilesystem) => Promise<void> | void,
  packages: readonly MadeUpRpm[] = INSTALLED,
): Promise<string[]> {
  const member = await machine(packages);
  await change(member);
  const match = await matchImage(manifest, image(member), { codecFor });
  return match.differences.map(({ path, record = '' }) => `${path} ${record}`.trim());
}

const nothing = (): void => undefined;
const withTool = (one: MadeUpRpm): readonly MadeUpRpm[] => [
  ...INSTALLED.filter(({ name }) => name !== one.name),
  one,
];

it.each<[string, string, Readonly<Record<string, string>>]>([
  ['settings of a package', '/etc/tool.conf', { '/etc/tool.conf': 'off\n' }],
  ['a file that a package only owns', '/var/lib/tool/state', { '/var/lib/tool/state': 'other\n' }],
  ['a program in a script language', '/usr/libexec/tool.py', { '/usr/libexec/tool.py': 'import os\n' }],
  [
    'a file of the version that stays',
    '/lib/modules/6.9/install.sh',
    { '/lib/modules/6.9/install.sh': 'exit\n' },
  ],
  ['what a scriptlet looks for', '/etc/app.flag', { '/etc/app.flag': '' }],
  ['what a trigger of another package looks for', '/etc/watch.flag', { '/etc/watch.flag': '' }],
])('the update would do something else where this differs: %s', async (_what, path, files) => {
  expect(await differences((member) => put(member, files))).toEqual([path]);
});

it.each<[string, string, MadeUpRpm]>([
  ['whose program ran', `${RPMDB} tool.noarch`, tool('2.1')],
  ['whose trigger ran', `${RPMDB} watch.noarch`, watch('3.1')],
])('the update would do something else with another version of the package %s', async (_what, found, one) => {
  expect(await differences(nothing, withTool(one))).toEqual([found]);
});

it('the update does the same with other packages, and files that are not looked at', async () => {
  expect(await differences(nothing)).toEqual([]);
  expect(await differences(nothing, [...INSTALLED, { name: 'more' }])).toEqual([]);
  expect(
    await differences((member) =>
      put(member, { '/usr/lib64/libtool.so': `${ELF} 2`, '/usr/share/app/data': 'own' }),
    ),
  ).toEqual([]);
});
