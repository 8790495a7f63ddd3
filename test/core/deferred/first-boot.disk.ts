import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import {
  FIRST_BOOT_STATE,
  firstBootNames,
  firstBootScript,
  firstBootUnit,
} from '../../../core/deferred/first-boot-script';
import { type DeferredStep, deferredStep, generatorOf } from '../../../core/generated/generators';
import { debianWithPackages, inTree, unpackTree } from '../../support/debian-tree';

const run = promisify(execFile);
const names = firstBootNames('0a1b2c3d');
const HOST_KEYS = '/etc/ssh/ssh_host_rsa_key /etc/ssh/ssh_host_ecdsa_key /etc/ssh/ssh_host_ed25519_key';

/** A Debian with a service whose secrets were left to the first boot. */
let tree: string;

beforeAll(async () => {
  tree = await mkdtemp(join(tmpdir(), 'first-boot-'));
  await unpackTree(await debianWithPackages(), tree);
  await inTree(
    tree,
    `apt-get install -y --no-download openssh-server ssl-cert
     rm -f /etc/ssh/ssh_host_* /etc/ssl/private/ssl-cert-snakeoil.key /etc/ssl/certs/ssl-cert-snakeoil.pem
     find /etc/ssl/certs -xtype l -delete`,
  );
}, 300_000);

afterAll(() => rm(tree, { recursive: true, force: true }));

function stepOf(rule: string, paths: readonly string[] = []): DeferredStep {
  const generator = generatorOf(rule)!;
  return deferredStep(generator, generator.commands(paths)!);
}

/** Puts script, unit and link where the operations would, and runs what the unit would. */
async function firstBoot(steps: readonly DeferredStep[]) {
  await put(names.script, firstBootScript(names, steps));
  await put(names.unit, firstBootUnit(names, steps));
  await rm(join(tree, names.link), { force: true });
  await mkdir(dirname(join(tree, names.link)), { recursive: true });
  await symlink(names.unit, join(tree, names.link));
  const code = await inTree(tree, `/bin/sh ${names.script} >/dev/null 2>&1 && echo 0 || echo $?`);
  const report: unknown = JSON.parse(await readFile(join(tree, names.report), 'utf8'));
  return { code: code.trim(), report };
}

async function put(path: string, text: string): Promise<void> {
  await mkdir(dirname(join(tree, path)), { recursive: true });
  await writeFile(join(tree, path), text, { mode: 0o755 });
}

const waiting = async (): Promise<string[]> => {
  const found = await readdir(join(tree, '/etc/systemd/system'), { recursive: true });
  return found.filter((name) => name.includes('imageelves'));
};

it('makes host keys and a certificate with the right owners, says so, and removes itself', async () => {
  const { code, report } = await firstBoot([
    stepOf('ssh-host-keys', HOST_KEYS.split(' ')),
    stepOf('snakeoil-certificate'),
  ]);
  expect(report).toEqual({
    version: 1,
    finishedAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
    done: true,
    steps: [
      { id: 'ssh-host-keys', exitCode: 0, output: expect.any(String) },
      { id: 'snakeoil-certificate', exitCode: 0, output: expect.any(String) },
    ],
  });
  expect(code).toBe('0');
  expect(await waiting()).toEqual([]);
  // The programs that use them are the judges.
  await inTree(tree, 'mkdir -p /run/sshd; /usr/sbin/sshd -t');
  for (const key of HOST_KEYS.split(' ')) {
    const listed = await inTree(tree, `ssh-keygen -l -f ${key}.pub; ssh-keygen -y -f ${key} | cut -d' ' -f2`);
    const [, fingerprinted] = listed.trim().split('\n');
    expect(await readFile(join(tree, `${key}.pub`), 'utf8')).toContain(fingerprinted);
    expect((await stat(join(tree, key))).mode & 0o777).toBe(0o600);
  }
  const owner = await inTree(tree, "stat -c '%U:%G %a' /etc/ssl/private/ssl-cert-snakeoil.key");
  expect(owner.trim()).toBe('root:ssl-cert 640');
  await inTree(
    tree,
    'openssl x509 -noout -in "/etc/ssl/certs/$(openssl x509 -hash -noout -in /etc/ssl/certs/ssl-cert-snakeoil.pem).0"',
  );
}, 120_000);

it('leaves keys that a machine has', async () => {
  const key = join(tree, '/etc/ssh/ssh_host_ed25519_key');
  const before = await readFile(key);
  await rm(join(tree, '/etc/ssh/ssh_host_rsa_key'));
  await firstBoot([stepOf('ssh-host-keys', HOST_KEYS.split(' '))]);
  expect((await readFile(key)).equals(before)).toBe(true);
  await inTree(tree, 'ssh-keygen -y -f /etc/ssh/ssh_host_rsa_key');
}, 120_000);

it('a step that fails is in the report, keeps the unit for the next boot, and no other step from being done', async () => {
  const steps: DeferredStep[] = [
    {
      id: 'fails',
      reason: 'a test',
      before: [],
      commands: ['echo "say \\"no\\" \\\\ to it"', 'false', 'echo never'],
    },
    { id: 'works', reason: 'a test', before: [], commands: ['touch /srv/made', 'cat'] },
  ];
  const { code, report } = await firstBoot(steps);
  expect(code).toBe('1');
  expect(report).toMatchObject({
    done: false,
    steps: [
      { id: 'fails', exitCode: 1, output: 'say "no" \\ to it ' },
      { id: 'works', exitCode: 0, output: '' },
    ],
  });
  await stat(join(tree, '/srv/made'));
  expect(await waiting()).toHaveLength(3);
  expect(await readdir(join(tree, FIRST_BOOT_STATE))).toEqual(['first-boot-0a1b2c3d.json']);
  const again = await firstBoot([{ ...steps[0]!, commands: ['true'] }]);
  expect(again.report).toMatchObject({ done: true });
  expect(await waiting()).toEqual([]);
}, 120_000);

it('is a unit that systemd has no complaint about', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'unit-'));
  try {
    const unit = join(folder, 'imageelves-first-boot-0a1b2c3d.service');
    await writeFile(unit, firstBootUnit(names, [stepOf('ssh-host-keys', HOST_KEYS.split(' '))]));
    const { stdout, stderr } = await run('systemd-analyze', ['verify', '--man=no', unit]);
    expect(`${stdout}${stderr}`).not.toContain('imageelves');
  } finally {
    await rm(folder, { recursive: true });
  }
}, 60_000);
