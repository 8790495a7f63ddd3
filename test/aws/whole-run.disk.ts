import { execFile } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import type { Report } from '../../core/report/report';
import { reportKey } from '../../core/workflow/keys';
import { startTestServices, type TestServices } from '../support/aws-services';
import { onMountedImage } from '../support/mounted-image';
import { addMachine, type TestMachine } from '../support/test-machines';
import { wholeRun } from '../support/whole-run';

const run = promisify(execFile);
const BLOCK = 524_288;

let services: TestServices;
let folder: string;
let base: string;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'imageelves-run-'));
  base = path.join(folder, 'base.raw');
  await makeTree(path.join(folder, 'tree'));
  await run('truncate', ['-s', '1G', base]);
  await run('mkfs.ext4', ['-q', '-d', path.join(folder, 'tree'), base]);
});
afterAll(() => rm(folder, { recursive: true }));
beforeEach(async () => {
  services = await startTestServices();
});
afterEach(() => services.close());

const UPDATE = `
  printf 'new library\\n' > $MNT/usr/lib/libx.so.2; rm $MNT/usr/lib/libx.so.1
  ln -sfn libx.so.2 $MNT/usr/lib/libx.so
  printf 'setting = new\\n' > $MNT/etc/app.conf
  mkdir -p $MNT/usr/share/doc/x; head -c 3000000 /dev/urandom > $MNT/usr/share/doc/x/big
  sed -i 's/^Version: 1.0$/Version: 1.1/' $MNT/var/lib/dpkg/status`;

test('a live representative is updated, equal stopped machines are patched, the one that differs gets a clone of its own', async () => {
  const live = await machine('live', { running: true });
  const twin = await machine('twin');
  const other = await machine('other');
  const changed = await machine('changed', { script: "printf 'setting = mine\\n' > $MNT/etc/app.conf" });
  services.runCommand.online.add(live.instanceId);
  services.runCommand.onSend = async ({ instanceId, commands }) => {
    if (commands[0] !== 'set -eu') return;
    await onVolume(instanceId, UPDATE);
  };
  onEveryInstance();

  const output = await wholeRun(services, updates(), {
    update: 'app',
    targets: { tags: { PatchGroup: 'all' } },
  });
  const report = await services.documents.read<Report>(reportKey('test-run'));
  const sentences = report.machines.map(({ name, outcome, sentence }) => `${name}: ${outcome}: ${sentence}`);
  expect({ output, sentences, classes: report.classes.map(({ failure }) => failure) }).toMatchObject({
    output: { patched: 3, updatedOnline: 1, failed: 0, notPatched: 0, succeeded: true, classes: 2 },
  });
  for (const patched of [twin, other, changed]) {
    const file = await volumeFile(patched.instanceId);
    await run('e2fsck', ['-fn', file]);
    expect(
      await onMountedImage(file, 'cat $MNT/etc/hostname $MNT/etc/app.conf $MNT/usr/lib/libx.so'),
    ).toContain('new library');
    expect(services.state.instances.get(patched.instanceId)?.state).toBe('stopped');
  }
  // Nothing temporary is left, and the old volumes are.
  expect([...services.state.snapshots.keys()]).toEqual([]);
  expect(services.state.volumes.has(twin.volumeId)).toBe(true);
}, 120_000);

test('a machine that cannot be read is reported, and the others are patched', async () => {
  const live = await machine('live', { running: true });
  const twin = await machine('twin');
  const broken = await addMachine(services, { name: 'broken', tags: { PatchGroup: 'all' }, blocks: {} });
  services.runCommand.online.add(live.instanceId);
  services.runCommand.onSend = async ({ instanceId, commands }) => {
    if (commands[0] === 'set -eu') await onVolume(instanceId, UPDATE);
  };
  const output = await wholeRun(services, updates(), {
    update: 'app',
    targets: { tags: { PatchGroup: 'all' } },
    toleratedFailurePercentage: 50,
  });
  expect(output).toMatchObject({ patched: 1, updatedOnline: 1, failed: 1, succeeded: true });
  const { machines } = await services.documents.read<Report>(reportKey('test-run'));
  expect(machines.find(({ instanceId }) => instanceId === broken.instanceId)?.sentence).toMatch(/Error\]$/);
  expect(machines.find(({ instanceId }) => instanceId === twin.instanceId)?.outcome).toBe('patched');
}, 120_000);

/** Agents come online by themselves: a clone's too. */
function onEveryInstance(): void {
  const { instances } = services.state;
  const online = services.runCommand.online;
  const set = instances.set.bind(instances);
  instances.set = (id, record) => {
    if (record.tags['imageelves:purpose'] === 'clone') online.add(id);
    return set(id, record);
  };
}

function updates() {
  return {
    formatVersion: 1 as const,
    updates: [{ name: 'app', kind: 'script' as const, commands: ['install the update'] }],
    retainDays: 7,
    maxConcurrency: 10,
    toleratedFailurePercentage: 0,
    maxRounds: 3,
    representative: 'auto' as const,
  };
}

async function machine(
  name: string,
  options: { running?: boolean; script?: string } = {},
): Promise<TestMachine> {
  const rawFile = path.join(folder, `${name}.raw`);
  await run('cp', ['--sparse=always', base, rawFile]);
  const script = `echo ${name} > $MNT/etc/hostname; ${options.script ?? ''}`;
  await onMountedImage(rawFile, script);
  const tags = { PatchGroup: 'all' };
  return addMachine(services, { name, rawFile, tags, running: options.running ?? false });
}

/** The raw disk that the instance's root volume is now. */
async function volumeFile(instanceId: string): Promise<string> {
  const volume = [...services.state.volumes.values()].find(
    ({ attachment }) => attachment?.instanceId === instanceId && attachment.detachedAt === undefined,
  );
  const file = path.join(folder, `${volume!.volumeId}.now.raw`);
  await run('truncate', ['-s', '1G', file]);
  const handle = await open(file, 'r+');
  for (const index of await services.state.storage.writtenSince(volume!.volumeId, undefined)) {
    await handle.write(
      await services.state.storage.readBlock(volume!.volumeId, index),
      0,
      BLOCK,
      index * BLOCK,
    );
  }
  await handle.close();
  return file;
}

/** Runs a script on the root volume of a "running" instance, as the update would. */
async function onVolume(instanceId: string, script: string): Promise<void> {
  const file = await volumeFile(instanceId);
  const before = `${file}.before`;
  await copyFile(file, before);
  await onMountedImage(file, script);
  const [old, now] = await Promise.all([readFile(before), readFile(file)]);
  const { volumeId } = [...services.state.volumes.values()].find(
    ({ attachment }) => attachment?.instanceId === instanceId && attachment.detachedAt === undefined,
  )!;
  for (let index = 0; index * BLOCK < now.length; index += 1) {
    const bytes = now.subarray(index * BLOCK, (index + 1) * BLOCK);
    if (!bytes.equals(old.subarray(index * BLOCK, (index + 1) * BLOCK))) {
      await services.state.storage.writeBlock(volumeId, index, bytes);
    }
  }
}

/** What makes an image: an identity of the system, packages, something to update, and systemd's folder. */
async function makeTree(tree: string): Promise<void> {
  const files: Record<string, string> = {
    'etc/os-release': 'ID=debian\nVERSION_ID="12"\nPRETTY_NAME="Debian GNU/Linux 12"\n',
    'etc/fstab': '/dev/xvda / ext4 defaults 0 1\n',
    'etc/hostname': 'base\n',
    'etc/machine-id': `${'a'.repeat(32)}\n`,
    'etc/app.conf': 'setting = old\n',
    'etc/systemd/system/multi-user.target.wants/app.service': '',
    'usr/lib/libx.so.1': 'old library\n',
    'usr/sbin/empty': '',
    'var/lib/dpkg/arch': 'amd64\n',
    'var/lib/dpkg/status':
      'Package: x\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1.0\n\nPackage: y\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1.0-3\n\n',
  };
  for (const [name, text] of Object.entries(files)) {
    await mkdir(path.join(tree, path.dirname(name)), { recursive: true });
    await writeFile(path.join(tree, name), text);
  }
  await run('ln', ['-s', 'libx.so.1', path.join(tree, 'usr/lib/libx.so')]);
}
