import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { VOLATILE_PATHS, volatileRule } from '../../core/capture/volatile-paths';
import { parseRecording } from '../../core/recording/parse-recording';
import { type RecordingSummary, summarizeRecording } from '../../core/recording/summarize-recording';
import { recordedScript } from '../../core/update/recorded-script';
import { debianTar } from '../support/debian-tree';
import { RECORDER } from '../support/recorder-program';

/**
 * One real Debian machine with daemons, a timer and a logger that write all the time. It installs a package by apt with the
 * recorder around it, in two parts as a reboot makes them, and then the recorder is given too small a queue, and is killed.
 */
const run = promisify(execFile);
const BUILD_MS = 300_000;

const INSTALL = 'DEBIAN_FRONTEND=noninteractive apt-get -qq -y install openssh-server >/dev/null 2>&1';
const FIRST = [
  'set -eu',
  'echo 2 > /etc/daemon.conf',
  'rm /etc/old/removed',
  'mkdir /etc/new.part; mv /etc/new.part /etc/new; echo x > /etc/new/file',
  // By a process that lives shorter than any question takes, and one that outlives its parent.
  'sh -c "echo short > /var/lib/short.state"',
  '(sleep 0.5; echo late > /var/lib/late.state) &',
  'chmod 600 /etc/issue',
  'systemctl restart daemon',
  'sleep 1.5',
  'echo to the output; echo to the error output >&2',
  'exit 194',
];
const SECOND = ['set -eu', INSTALL];
/** The queue of the kernel's default, 16384 events, that nobody reads meanwhile. */
const OVERFLOW = [
  'kill -STOP $PPID',
  'mkdir /root/many; cd /root/many; seq 20000 | xargs touch',
  'kill -CONT $PPID; sleep 0.5',
];

let folder: string;
const out = (name: string): Promise<string> => readFile(join(folder, 'out', name), 'utf8');

async function summaryOf(name: string): Promise<RecordingSummary> {
  return summarizeRecording(parseRecording(await readFile(join(folder, 'out', name))));
}

beforeAll(async () => {
  const tar = await debianTar({
    installed: ['systemd', 'systemd-sysv', 'dbus', 'adduser', 'ucf', 'python3'],
    available: ['openssh-server', 'ca-certificates', 'cron'],
  });
  folder = await mkdtemp(join(tmpdir(), 'recording-'));
  const test = join(folder, 'test');
  await mkdir(test);
  const script = (name: string, update: readonly string[], text = RECORDER): string =>
    recordedScript({ update, recorder: text, name, uploadTo: `s3://bucket/${name}.gz` }).join('\n');
  const limited = RECORDER.replace('unlimited, only_check = True', 'unlimited, only_check = False');
  expect(limited).not.toBe(RECORDER);
  const files = {
    'recorder.py': RECORDER,
    'first.sh': script('whole', FIRST),
    'second.sh': script('whole', SECOND),
    'overflow.sh': script('overflow', OVERFLOW, limited),
    'killed.sh': script('killed', ['echo x > /etc/before-kill', 'sleep 0.5', 'kill -KILL $PPID']),
    // Where there is no fanotify, and neither strace.
    'plain.sh': script('plain', ['echo plain', 'exit 3'], 'raise SystemExit(1)'),
  };
  for (const [name, text] of Object.entries(files)) await writeFile(join(test, name), text);
  await cp(join(__dirname, 'main.sh'), join(test, 'main.sh'));
  const machine = join(__dirname, '../support/recording-machine.sh');
  const namespaces = [
    '--mount',
    '--pid',
    '--fork',
    '--mount-proc',
    '--kill-child',
    '--propagation',
    'private',
  ];
  await run('unshare', [...namespaces, '--', 'sh', machine, tar, folder], { timeout: BUILD_MS });
}, BUILD_MS);

afterAll(() => rm(folder, { recursive: true, force: true }));

test('output and exit code are the update’s own', async () => {
  expect(await out('first.stdout')).toBe('to the output\n');
  expect(await out('first.stderr')).toBe('to the error output\n');
  expect(await out('first.code')).toBe('194\n');
  expect(await out('second.code')).toBe('0\n');
  expect(await out('plain.stdout')).toBe('plain\n');
  expect(await out('plain.code')).toBe('3\n');
});

test('nothing of it is left on the machine', async () => {
  expect(await out('left')).toBe('');
});

test('two parts are one recording in which nothing is lost', async () => {
  const { lost, warnings, method } = await summaryOf('whole.gz');
  expect({ lost, warnings, method }).toEqual({ lost: false, warnings: [], method: 'fanotify' });
});

test.each([
  ['a file it wrote', '/etc/daemon.conf', { written: true }],
  ['a file it removed', '/etc/old/removed', { removed: true }],
  ['a directory it renamed', '/etc/new', { renamedFrom: '/etc/new.part', isDirectory: true }],
  ['a file below that', '/etc/new/file', { written: true }],
  ['what a short process wrote', '/var/lib/short.state', { written: true }],
  ['what an orphan wrote', '/var/lib/late.state', { written: true }],
  ['attributes it changed', '/etc/issue', { written: true }],
  ['what a daemon that it restarted wrote', '/var/lib/daemon.state', { written: true }],
  ['a program of a package', '/usr/sbin/sshd', { written: true }],
  ['what a trigger of dpkg wrote', '/etc/ld.so.cache', { written: true }],
  ['what a maintainer script wrote', '/etc/ssh/sshd_config', { written: true }],
  ['what adduser read', '/etc/adduser.conf', { read: true }],
  ['what dpkg ran', '/usr/bin/dpkg', { executed: true }],
])('the update’s is %s', async (_, path, expected) => {
  const { paths } = await summaryOf('whole.gz');
  expect(paths.get(path)).toMatchObject({ ...expected, byUpdate: 'yes' });
});

test.each(['/var/lib/noise.state', '/var/lib/noise.log', '/var/lib/logger.moved'])(
  'not the update’s is %s',
  async (path) => {
    const { paths } = await summaryOf('whole.gz');
    expect(paths.get(path)).toMatchObject({ byOthers: true });
    expect(paths.get(path)?.byUpdate).not.toBe('yes');
  },
);

test('every file that changed was recorded', async () => {
  const { paths } = await summaryOf('whole.gz');
  const rule = volatileRule(VOLATILE_PATHS);
  const changed = (await out('changed'))
    .split('\n')
    .filter((path) => path !== '' && !path.startsWith('/root/test/') && !rule(path));
  expect(changed.length).toBeGreaterThan(100);
  expect(changed.filter((path) => paths.get(path)?.written !== true)).toEqual([]);
});

test('a queue that overflowed is told', async () => {
  const { lost, warnings } = await summaryOf('overflow.gz');
  expect(lost).toBe(true);
  expect(warnings.join()).toMatch(/overflowed/);
});

test('a recorder that was killed leaves a part that is told as cut off', async () => {
  const { lost, warnings } = await summaryOf('killed.gz');
  expect(lost).toBe(true);
  expect(warnings.join()).toMatch(/cut off/);
});

test('where nothing can record, that is told', async () => {
  const { method, lost } = await summaryOf('plain.gz');
  expect({ method, lost }).toEqual({ method: 'none', lost: true });
});

test('the recorder is written for Python 3.6', async () => {
  expect(await out('grammar')).toBe('True\n');
});
