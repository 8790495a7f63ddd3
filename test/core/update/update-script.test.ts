import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { updateScript } from '../../../core/update/update-script';
import type { PackagesUpdate } from '../../../core/update/update';

/** Runs a script by `sh` where only these commands exist, each a shell script itself; tells what was called. */
function runWith(commands: Readonly<Record<string, string>>, script: readonly string[]) {
  const folder = mkdtempSync(path.join(tmpdir(), 'imageelves-update-'));
  try {
    const log = path.join(folder, 'calls');
    writeFileSync(log, '');
    for (const [name, body] of Object.entries({ sync: '', 'apt-mark': '', ...commands })) {
      writeFileSync(path.join(folder, name), `#!/bin/sh\necho "${name} $*" >> ${log}\n${body}\n`);
      chmodSync(path.join(folder, name), 0o755);
    }
    for (const tool of ['sed', 'sh']) {
      execFileSync('ln', [
        '-s',
        execFileSync('sh', ['-c', `command -v ${tool}`])
          .toString()
          .trim(),
        path.join(folder, tool),
      ]);
    }
    const result = spawnSync('/bin/sh', ['-c', script.join('\n')], {
      env: { PATH: folder },
      encoding: 'utf8',
    });
    const calls = readFileSync(log, 'utf8').trimEnd().split('\n');
    return { status: result.status, stdout: result.stdout, stderr: result.stderr, calls };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const packages = (select: PackagesUpdate['select']): string[] =>
  updateScript({ name: 'u', kind: 'packages', select });

/** What `apt-get -s upgrade` prints, as Debian 12 and Ubuntu 22.04 do. */
const PLAN = [
  'Inst libssl3 [3.0.11-1] (3.0.15-1 Debian-Security:12/stable-security [amd64])',
  'Inst tzdata [2024a-0] (2024b-0 Debian:12/stable-updates [all])',
  'Inst openssl [3.0.2-1] (3.0.2-2 Ubuntu:22.04/jammy-updates, Ubuntu:22.04/jammy-security [amd64])',
  'Inst linux-image-6.1.0-30-amd64 (6.1.124-1 Debian-Security:12/stable-security [amd64])',
  'Conf libssl3 (3.0.15-1 Debian-Security:12/stable-security [amd64])',
].join('\n');

const apt = (plan: string, after = '') =>
  `case " $* " in *" -s "*) cat <<'END'\n${plan}\nEND\n;; esac\n${after}`;
const CAT = { cat: 'while IFS= read -r line; do printf "%s\\n" "$line"; done' };

test('security: installs what a security archive offers for what is installed, and nothing else', () => {
  const { status, calls } = runWith({ ...CAT, 'apt-get': apt(PLAN), dpkg: '' }, packages('security'));
  expect(status).toBe(0);
  const install = calls.find((call) => call.includes(' install '));
  expect(install).toMatch(/--only-upgrade install libssl3 openssl$/);
  expect(install).toContain('--force-confold');
  expect(calls.at(-1)).toMatch(/^sync/);
});

test('what was installed automatically stays marked so, also when the update fails', () => {
  const mark = 'case "$1" in showauto) echo libssl3 ;; esac';
  for (const [after, code] of [
    ['', 0],
    ['case " $* " in *" install "*) exit 100 ;; esac', 100],
  ] as const) {
    const commands = { ...CAT, 'apt-get': apt(PLAN, after), 'apt-mark': mark, dpkg: '' };
    const { status, calls } = runWith(commands, packages('security'));
    expect(status).toBe(code);
    expect(calls.filter((call) => call.startsWith('apt-mark'))).toEqual([
      'apt-mark showauto libssl3 openssl',
      'apt-mark -qq auto libssl3',
    ]);
  }
});

test('all: upgrades', () => {
  const { status, calls } = runWith({ ...CAT, 'apt-get': apt(PLAN), dpkg: '' }, packages('all'));
  expect(status).toBe(0);
  expect(calls.filter((call) => / upgrade$/.test(call))).toHaveLength(2);
});

test('names: those that are installed, whatever their names hold', () => {
  const query = `case "$*" in *"g++"*) printf 'installed installed ' ;; *gone*) printf 'not-installed ' ;; *) exit 1 ;; esac`;
  const commands = { ...CAT, 'apt-get': '', dpkg: '', 'dpkg-query': query };
  const { status, calls } = runWith(commands, packages(['g++', 'gone', 'never']));
  expect(status).toBe(0);
  expect(calls.find((call) => call.includes(' install '))).toMatch(/--only-upgrade install g\+\+$/);
});

test.each(['security', 'all', ['x']] as const)('%s: nothing pending is told and is no failure', (select) => {
  const commands = { ...CAT, 'apt-get': apt('0 upgraded'), dpkg: '', 'dpkg-query': 'exit 1' };
  const { status, stdout, calls } = runWith(commands, packages(select as PackagesUpdate['select']));
  expect({ status, stdout: stdout.trim().split('\n').at(-1) }).toEqual({
    status: 0,
    stdout: 'imageelves: nothing is pending',
  });
  expect(calls.some((call) => / install /.test(call))).toBe(false);
});

test.each(['update', '-s', 'install'])('a failing apt-get (%s) fails the update', (word) => {
  const failing = `case " $* " in *" ${word} "*) echo broken >&2; exit 100 ;; esac\n${apt(PLAN)}`;
  const { status, calls } = runWith({ ...CAT, 'apt-get': failing, dpkg: '' }, packages('security'));
  expect(status).toBe(100);
  expect(calls.some((call) => call.startsWith('sync'))).toBe(false);
});

const LOCKED = 'E: Could not get lock /var/lib/apt/lists/lock. It is held by process 7 (apt-get)';

test('lists that another apt-get is reading are waited for, but not for ever', () => {
  const locked = (until: string): string =>
    `case " $* " in *" update "*) if ${until}; then echo "${LOCKED}" >&2; exit 100; fi ;; esac\n${apt(PLAN)}`;
  const wait = (until: string) =>
    runWith(
      { ...CAT, 'apt-get': locked(until), sleep: ': > "$PATH/waited"', dpkg: '' },
      packages('security'),
    );
  const once = wait('[ ! -e "$PATH/waited" ]');
  expect(once).toMatchObject({ status: 0, stderr: '' });
  expect(once.calls.filter((call) => call.startsWith('sleep'))).toHaveLength(1);
  const always = wait(':');
  expect(always.status).toBe(100);
  expect(always.stderr).toContain(LOCKED);
  expect(always.calls.filter((call) => call.startsWith('sleep')).length).toBeGreaterThan(100);
});

test('no machine takes part of its own in an update that its distribution gives to some machines first', () => {
  for (const select of ['all', 'security', ['nginx']] as const) {
    const { calls } = runWith(
      { ...CAT, 'apt-get': apt(PLAN), dpkg: '', 'dpkg-query': "printf 'installed '" },
      packages((typeof select === 'string' ? select : [...select]) as PackagesUpdate['select']),
    );
    const chosen = calls.filter((call) => /^apt-get .* (upgrade|install) ?/.test(call));
    expect(chosen.length).toBeGreaterThan(0);
    for (const call of chosen) expect(call).toMatch(/Never-Include-Phased-Updates=true/);
  }
});

test('another package manager is waited for before its work is taken for left over', () => {
  const { calls } = runWith({ ...CAT, 'apt-get': apt(PLAN), dpkg: '' }, packages('all'));
  const waited = calls.findIndex((call) => /^apt-get .*Lock::Timeout=600 .*check$/.test(call));
  expect(waited).toBeGreaterThan(0);
  expect(waited).toBeLessThan(calls.findIndex((call) => call.startsWith('dpkg --audit')));
});

test('what an earlier run left unconfigured is configured first', () => {
  const dpkg = 'case "$*" in --audit) echo half-configured ;; esac';
  const { calls } = runWith({ ...CAT, 'apt-get': apt(PLAN), dpkg }, packages('all'));
  const configured = calls.findIndex((call) => /^dpkg .*--configure -a/.test(call));
  expect(configured).toBeGreaterThan(0);
  expect(configured).toBeLessThan(calls.findIndex((call) => / upgrade$/.test(call)));
});

test.each([
  [0, 0, 'imageelves: nothing is pending'],
  [100, 0, 'upgraded'],
  [1, 1, ''],
])('dnf check-update that ends with %i makes the update end with %i', (code, expected, text) => {
  const dnf = `case "$*" in *check-update*) exit ${code} ;; esac\necho upgraded`;
  const { status, stdout } = runWith({ dnf }, packages('security'));
  expect({ status, stdout: stdout.trim() }).toEqual({ status: expected, stdout: text });
});

test('without a package manager the update fails and says why', () => {
  const { status, stderr } = runWith({}, packages('all'));
  expect(status).toBe(1);
  expect(stderr).toContain('neither apt-get, dnf nor yum');
});

test('commands of a script run up to the first that fails', () => {
  const script = updateScript({ name: 'u', kind: 'script', commands: ['echo one', 'broken', 'echo two'] });
  expect(runWith({ broken: 'exit 7' }, script)).toMatchObject({ status: 7, stdout: 'one\n' });
});

test('a reboot that a script asks for reaches the agent', () => {
  const script = updateScript({ name: 'u', kind: 'script', commands: ['exit 194'] });
  expect(runWith({}, script).status).toBe(194);
});
