import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { parseRecording } from '../../core/recording/parse-recording';
import { type RecordingSummary, summarizeRecording } from '../../core/recording/summarize-recording';
import { recordedScript } from '../../core/update/recorded-script';

/** The recorder as older kernels let it work, and strace where there is no Python: each with a real update. */
const run = promisify(execFile);
jest.setTimeout(20_000);

let folder: string;
let mounted: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'recording-'));
  mounted = join(folder, 'root');
  await mkdir(mounted);
  await mkdir(join(folder, 'parts'));
});

afterEach(() => rm(folder, { recursive: true, force: true }));

const UPDATE = [
  'cat "$ROOT/read" >/dev/null',
  'echo x > "$ROOT/made.part"; mv "$ROOT/made.part" "$ROOT/made"',
  'rm "$ROOT/removed"',
  // However slow the machine is, the neighbour writes while this is recorded.
  ': > "$FOLDER/began"; until [ "$ROOT/noise" -nt "$FOLDER/began" ]; do sleep 0.1; done',
];

/** In a mount namespace of its own, with a filesystem that nobody else uses at $ROOT; `command` runs with a noisy neighbour. */
async function inMachine(command: string): Promise<void> {
  const script = `
    truncate -s 64M "$FOLDER/disk"; mkfs.ext4 -q "$FOLDER/disk"; mount -o loop "$FOLDER/disk" "$ROOT"
    mount -t tmpfs tmpfs /var/lib
    touch "$ROOT/read" "$ROOT/removed"
    (while [ ! -e "$FOLDER/over" ]; do echo noise >> "$ROOT/noise"; sleep 0.1; done) &
    code=0; (${command}) || code=$?
    touch "$FOLDER/over"; wait; [ "$code" -eq 0 ]; umount "$ROOT"`;
  const namespaces = ['--mount', '--propagation', 'private', '--'];
  await run('unshare', [...namespaces, 'sh', '-euc', script], {
    env: { PATH: `${process.env['PATH']}:/usr/sbin:/sbin`, FOLDER: folder, ROOT: mounted },
  });
}

async function recorded(): Promise<RecordingSummary> {
  const names = (await readdir(join(folder, 'parts'))).sort();
  const parts = await Promise.all(names.map((name) => readFile(join(folder, 'parts', name))));
  return summarizeRecording(parseRecording(Buffer.concat(parts)));
}

async function recordAs(kernel: string): Promise<RecordingSummary> {
  await writeFile(join(folder, 'update.sh'), UPDATE.join('\n'));
  await inMachine(recorderAs(kernel));
  return recorded();
}

function recorderAs(kernel: string): string {
  const older = join(__dirname, 'older-kernel.py');
  const recorder = join(__dirname, '../../recorder');
  return `python3 -B ${older} ${recorder} ${kernel} --directory "$FOLDER/parts" -- sh "$FOLDER/update.sh"`;
}

test('before Linux 5.17 a rename is put together from its halves', async () => {
  const { paths, lost } = await recordAs('5.10');
  expect(lost).toBe(false);
  expect(paths.get(`${mounted}/made`)).toMatchObject({
    renamedFrom: `${mounted}/made.part`,
    byUpdate: 'yes',
  });
  expect(paths.get(`${mounted}/removed`)).toMatchObject({ removed: true, byUpdate: 'yes' });
  expect(paths.get(`${mounted}/noise`)).toMatchObject({ written: true, byUpdate: 'no', byOthers: true });
});

test.each(['5.4', '4.14'])(
  'Linux %s tells what is read and written, and that it tells no renames',
  async (kernel) => {
    const { paths, lost, warnings } = await recordAs(kernel);
    expect(lost).toBe(false);
    expect(warnings.join()).toMatch(/renames and removals are not recorded/);
    expect(paths.get(`${mounted}/read`)).toMatchObject({ read: true, byUpdate: 'yes' });
    expect(paths.get(`${mounted}/made`)).toMatchObject({ written: true, byUpdate: 'yes' });
    expect(paths.has(`${mounted}/removed`)).toBe(false);
  },
);

test('where each event takes a descriptor, more of them than a process may have are not lost', async () => {
  const update = 'cd "$ROOT"; seq 3000 | while read name; do : > "many-$name"; done';
  await writeFile(join(folder, 'update.sh'), update);
  await inMachine(`ulimit -n 512; ${recorderAs('5.4')}`);
  const { paths, lost } = await recorded();
  expect(lost).toBe(false);
  expect([...paths.keys()].filter((path) => path.startsWith(`${mounted}/many-`))).toHaveLength(3000);
});

/** By the script that Run Command is sent, where the recorder does not run; these programs are before those of the machine. */
async function scripted(update: readonly string[], programs: Record<string, string> = {}): Promise<void> {
  const lines = recordedScript({
    update,
    recorder: 'raise SystemExit(1)',
    name: 'trace',
    uploadUrl: 'http://bucket/key',
    uploadTo: 's3://b/k',
  });
  await writeFile(join(folder, 'script.sh'), lines.join('\n'));
  const all = { curl: 'exit 22', aws: 'cp "$4" "$FOLDER/parts/part"', ...programs };
  for (const [name, text] of Object.entries(all)) {
    await writeFile(join(folder, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
  }
  await inMachine('PATH="$FOLDER:$PATH" sh "$FOLDER/script.sh"');
}

test('a daemon that the update leaves behind does not hold strace, and what came before is recorded', async () => {
  await scripted([...UPDATE, 'sleep 30 </dev/null >/dev/null 2>&1 &']);
  const { method, paths, lost } = await recorded();
  expect({ method, lost }).toEqual({ method: 'strace', lost: false });
  expect(paths.get(`${mounted}/made`)).toMatchObject({ renamedFrom: `${mounted}/made.part` });
});

test('a network that answers nothing does not hold the update', async () => {
  // Each way ends after a second instead of minutes.
  const programs = { timeout: 'shift 3; exec /usr/bin/timeout 1 "$@"', curl: 'sleep 60' };
  await scripted(UPDATE, programs);
  expect((await recorded()).lost).toBe(false);
});

test('where Python is missing strace records', async () => {
  await scripted(UPDATE);
  const { method, paths, lost, warnings } = await recorded();
  expect({ method, lost }).toEqual({ method: 'strace', lost: false });
  expect(warnings.join()).toMatch(/only the processes that the update started itself/);
  expect(paths.get(`${mounted}/read`)).toMatchObject({ read: true, byUpdate: 'yes' });
  expect(paths.get(`${mounted}/made`)).toMatchObject({ renamedFrom: `${mounted}/made.part` });
  expect(paths.get(`${mounted}/removed`)).toMatchObject({ removed: true });
  expect(paths.has(`${mounted}/noise`)).toBe(false);
});
